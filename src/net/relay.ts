import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { addToAll, type ByteSink, type ConnectionSinks } from "./byte-sink.js";
import { RelayTally, type FlowTally } from "./relay-tally.js";
import { resetConnection } from "./reset.js";

const noBytes = new Uint8Array(0);
const noSinks: readonly ByteSink[] = [];

export interface RelayOptions extends ConnectionSinks {
  /** Keeps the relay's sums, for whoever wants to know them meanwhile. One for each relay. Default: nobody does. */
  readonly tally?: RelayTally;
}

/**
 * Joins two connections in both directions, with back-pressure, until both are closed.
 *
 * - The end of one direction is passed on at once; the other direction goes on (half-close).
 * - A connection that fails or is destroyed takes the other one with it, as a reset: a transfer that was cut must not
 *   look complete.
 * - Uplink is counted when it was read from the client, downlink when the write to the client succeeded: never more than
 *   the kernel took, at most the writes in flight less.
 *
 * Failures are the normal end of many connections: the promise never rejects.
 */
export async function relay(
  client: Duplex,
  remote: Duplex,
  { uplink, downlink, tally = new RelayTally() }: RelayOptions,
): Promise<void> {
  const up = new Flow(client, remote, uplink, noSinks, tally.up);
  const down = new Flow(remote, client, noSinks, downlink, tally.down);
  const bothClosed = Promise.all([closing(client, remote), closing(remote, client)]);
  up.start();
  down.start();
  await bothClosed;
}

/** One direction: what `from` reads is written to `to`. It is paused by leaving `from` paused, with nothing held here. */
class Flow {
  readonly #from: Duplex;
  readonly #to: Duplex;
  readonly #readSinks: readonly ByteSink[];
  readonly #writtenSinks: readonly ByteSink[];
  readonly #tally: FlowTally;

  constructor(
    from: Duplex,
    to: Duplex,
    readSinks: readonly ByteSink[],
    writtenSinks: readonly ByteSink[],
    tally: FlowTally,
  ) {
    this.#from = from;
    this.#to = to;
    this.#readSinks = readSinks;
    this.#writtenSinks = writtenSinks;
    this.#tally = tally;
  }

  start(): void {
    const from = this.#from;
    const to = this.#to;
    to.on("drain", () => from.resume());
    if (from.readableEnded) {
      this.#onEnd();
      return;
    }
    from.on("end", this.#onEnd);
    from.on("data", this.#onData);
    // It may have been paused on purpose until somebody reads.
    from.resume();
  }

  readonly #onEnd = (): void => {
    const from = this.#from;
    // A reset right behind data reads as an end on Node 20 and 22 (libuv takes a hang-up for one). But a write fails
    // then: the one under way by itself, within this turn of the event loop, otherwise one of no bytes, which sends none.
    if (from instanceof Socket && from.writable && from.writableLength === 0) from.write(noBytes);
    setImmediate(() => {
      if (from.errored === null) this.#to.end();
    });
  };

  readonly #onData = (chunk: Buffer): void => {
    addToAll(this.#readSinks, chunk.length);
    this.#tally.readBytes += chunk.length;
    if (!this.#to.write(chunk, this.#onWritten)) this.#from.pause();
  };

  readonly #onWritten = (error?: Error | null): void => {
    // Node 20 completes the write in flight without an error when its stream is destroyed: nobody knows what of it went
    // out, so nothing is counted.
    if ((error !== null && error !== undefined) || this.#to.destroyed) return;
    const tally = this.#tally;
    const newBytes = tally.readBytes - this.#to.writableLength - tally.writtenBytes;
    // What was in the queue before the relay began (a handshake's answer) is not ours.
    if (newBytes <= 0) return;
    tally.writtenBytes += newBytes;
    addToAll(this.#writtenSinks, newBytes);
  };
}

/** Resolves when `connection` has closed, and sees to it that `other` does not outlive its failure. */
async function closing(connection: Duplex, other: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const onClose = (): void => {
      const isComplete = connection.readableEnded && connection.writableFinished;
      if (connection.errored !== null || !isComplete) resetConnection(other);
      resolve();
    };
    connection.on("error", ignore);
    if (connection.closed) onClose();
    else connection.once("close", onClose);
  });
}

/** The close that follows every error is what the relay acts on. */
function ignore(): void {
  // See above.
}

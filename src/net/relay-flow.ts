import type { Duplex } from "node:stream";
import { BusyReads } from "./busy-reads.js";
import { addToAll, type ByteSink } from "./byte-sink.js";
import { confirmEnd, isEndConfirmed } from "./confirmed-end.js";
import { hasGoneOut } from "./counted-writes.js";
import { probePeer } from "./peer-probe.js";
import type { RelayBuffers } from "./relay-buffers.js";
import type { FlowTally } from "./relay-tally.js";
import type { Waiter, WaitWatch } from "./wait-watch.js";

export interface RelayFlowOptions {
  readonly from: Duplex;
  readonly to: Duplex;
  /** Told of what was read from `from`. */
  readonly readSinks: readonly ByteSink[];
  /** Told of what `to` took. */
  readonly writtenSinks: readonly ByteSink[];
  readonly tally: FlowTally;
  /** For when it is busy. Default: it does without. */
  readonly buffers: RelayBuffers | undefined;
  /** Looks after it while `to` does not take what was read, and after the end. */
  readonly waits: WaitWatch;
}

/**
 * One direction: what `from` reads is written to `to`. It is paused by leaving `from` paused.
 *
 * States: listening for data, which every Duplex can do → busy, where both are sockets: {@link BusyReads} does it → ended.
 * Most connections carry little, and for them the first is the cheaper way.
 */
export class RelayFlow implements Waiter {
  readonly #from: Duplex;
  readonly #to: Duplex;
  readonly #readSinks: readonly ByteSink[];
  readonly #writtenSinks: readonly ByteSink[];
  readonly #tally: FlowTally;
  readonly #waits: WaitWatch;
  readonly #busyReadBytes: number;
  /** Until it is busy, or has turned out to be none that could be. */
  #buffers: RelayBuffers | undefined;
  #busy: BusyReads | undefined;

  constructor({ from, to, readSinks, writtenSinks, tally, buffers, waits }: RelayFlowOptions) {
    this.#from = from;
    this.#to = to;
    this.#readSinks = readSinks;
    this.#writtenSinks = writtenSinks;
    this.#tally = tally;
    this.#buffers = buffers;
    this.#waits = waits;
    this.#busyReadBytes = buffers?.busyReadBytes ?? Infinity;
  }

  start(): void {
    const from = this.#from;
    this.#to.on("drain", this.#onDrain);
    if (from.readableEnded) {
      this.#onEnd();
      return;
    }
    // Somebody put his own in its place to see the bytes, which would not pass there any more.
    if (Object.hasOwn(from, "push")) this.#buffers = undefined;
    confirmEnd(from);
    from.on("end", this.#onEnd);
    from.on("data", this.#onData);
    // It may have been paused on purpose until somebody reads.
    from.resume();
  }

  /** To be called when both have closed. */
  stop(): void {
    this.#busy?.stop();
    this.#waits.delete(this);
  }

  /** What is paused or has ended is not read from, and does not notice by itself that its peer is gone. */
  checkWait(): boolean {
    const from = this.#from;
    if (from.destroyed || !(from.isPaused() || from.readableEnded)) return false;
    probePeer(from);
    this.#busy?.checkWait();
    return true;
  }

  readonly #onEnd = (): void => {
    this.#busy?.finish();
    this.#waits.add(this);
    const from = this.#from;
    if (isEndConfirmed(from)) {
      this.#to.end();
      return;
    }
    // It may be a reset right behind data all the same (see confirmEnd()).
    probePeer(from);
    setImmediate(() => {
      if (from.errored === null) this.#to.end();
    });
  };

  readonly #onData = (chunk: Buffer): void => {
    this.#countRead(chunk.length);
    if (!this.#to.write(chunk, this.#onWritten)) this.#pause();
    if (chunk.length >= this.#busyReadBytes) this.#becomeBusy();
  };

  readonly #onDrain = (): void => {
    if (this.#busy === undefined) this.#from.resume();
  };

  readonly #onWritten = (error?: Error | null): void => {
    if (!hasGoneOut(this.#to, error)) return;
    this.#countWritten();
    this.#busy?.onWritten();
  };

  #pause(): void {
    this.#from.pause();
    this.#waits.add(this);
  }

  #countRead(bytes: number): void {
    addToAll(this.#readSinks, bytes);
    this.#tally.readBytes += bytes;
  }

  #countWritten(): void {
    const tally = this.#tally;
    const waitingBytes = this.#to.writableLength + (this.#busy?.heldBytes ?? 0);
    const newBytes = tally.readBytes - waitingBytes - tally.writtenBytes;
    // What was in the queue before the relay began (a handshake's answer) is not ours.
    if (newBytes <= 0) return;
    tally.writtenBytes += newBytes;
    addToAll(this.#writtenSinks, newBytes);
  }

  /** Unless there is still something in `from`, or somebody else who listens to it. */
  #becomeBusy(): void {
    const from = this.#from;
    const buffers = this.#buffers;
    if (buffers === undefined || from.readableLength > 0 || from.listenerCount("data") > 1) return;
    this.#buffers = undefined;
    const busy = new BusyReads({
      from,
      to: this.#to,
      buffers,
      onRead: (bytes) => {
        this.#countRead(bytes);
      },
      onPaused: () => {
        this.#waits.add(this);
      },
      onWritten: this.#onWritten,
    });
    if (busy.start()) this.#busy = busy;
  }
}

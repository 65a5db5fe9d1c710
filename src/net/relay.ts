import type { Duplex } from "node:stream";
import type { ByteSink, ConnectionSinks } from "./byte-sink.js";
import type { RelayBuffers } from "./relay-buffers.js";
import { RelayFlow } from "./relay-flow.js";
import { RelayTally } from "./relay-tally.js";
import { resetConnection } from "./reset.js";
import { WaitWatch } from "./wait-watch.js";

const noSinks: readonly ByteSink[] = [];

export interface RelayOptions extends ConnectionSinks {
  /** Keeps the relay's sums, for whoever wants to know them meanwhile. One for each relay. Default: nobody does. */
  readonly tally?: RelayTally;
  /** For directions that are busy, between two sockets; shared by any number of relays. Default: none, which is slower. */
  readonly buffers?: RelayBuffers;
  /**
   * Looks after the directions that wait for a side which does not read; shared by any number of relays. Default: one of
   * its own.
   */
  readonly waits?: WaitWatch;
}

/**
 * Joins two connections in both directions, with back-pressure, until both are closed.
 *
 * - The end of one direction is passed on at once; the other direction goes on (half-close).
 * - A connection that fails or is destroyed takes the other one with it, as a reset: a transfer that was cut must not
 *   look complete. That a socket has failed is noticed while nobody reads from it, too, within a tick of `waits`.
 * - Uplink is counted when it was read from the client, downlink when the write to the client succeeded: never more than
 *   the kernel took, at most the writes in flight less.
 *
 * Failures are the normal end of many connections: the promise never rejects.
 */
export async function relay(
  client: Duplex,
  remote: Duplex,
  { uplink, downlink, tally = new RelayTally(), buffers, waits = new WaitWatch() }: RelayOptions,
): Promise<void> {
  const up = new RelayFlow({
    from: client,
    to: remote,
    readSinks: uplink,
    writtenSinks: noSinks,
    tally: tally.up,
    buffers,
    waits,
  });
  const down = new RelayFlow({
    from: remote,
    to: client,
    readSinks: noSinks,
    writtenSinks: downlink,
    tally: tally.down,
    buffers,
    waits,
  });
  return new Promise((resolve) => {
    let openCount = 2;
    const onClosed = (): void => {
      openCount -= 1;
      if (openCount > 0) return;
      up.stop();
      down.stop();
      resolve();
    };
    watch(client, remote, onClosed);
    watch(remote, client, onClosed);
    up.start();
    down.start();
  });
}

/** Tells when `connection` has closed, and sees to it that `other` does not outlive its failure. */
function watch(connection: Duplex, other: Duplex, onClosed: () => void): void {
  const onClose = (): void => {
    const isComplete = connection.readableEnded && connection.writableFinished;
    if (connection.errored !== null || !isComplete) resetConnection(other);
    onClosed();
  };
  connection.on("error", ignore);
  if (connection.closed) onClose();
  // It closes once: once() would only cost more.
  else connection.on("close", onClose);
}

/** The close that follows every error is what the relay acts on. */
function ignore(): void {
  // See above.
}

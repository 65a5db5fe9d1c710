import { Code, ConnectError } from "@connectrpc/connect";
import type { RefusalTally } from "./refusal-tally.js";

export interface StreamGateOptions {
  /** How many may be open at the same time, of all callers together. */
  readonly maxCount: number;
  /** What they are and do, as whoever finds no room is told: `calls watch`. */
  readonly what: string;
  /** Told of each who found no room. */
  readonly refusals: RefusalTally;
}

/**
 * Lets a call in that may last, for which it takes one of a number of places until its signal aborts; that of a call does
 * however the call ends.
 *
 * @throws ConnectError RESOURCE_EXHAUSTED if there is no place; the signal's reason if the caller is gone.
 */
export type StreamGate = (signal: AbortSignal) => void;

/** Makes what keeps calls that may last to a number: of connections, and so of streams, a caller has as many as it likes. */
export function createStreamGate({ maxCount, what, refusals }: StreamGateOptions): StreamGate {
  let openCount = 0;
  return (signal) => {
    signal.throwIfAborted();
    if (openCount >= maxCount) {
      refusals.too_many_streams += 1;
      throw new ConnectError(`${openCount} ${what}, the most there may be`, Code.ResourceExhausted);
    }
    openCount += 1;
    signal.addEventListener(
      "abort",
      () => {
        openCount -= 1;
      },
      { once: true },
    );
  };
}

import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { callerKey } from "./caller.js";
import { Places } from "./places.js";
import type { RefusalTally } from "./refusal-tally.js";

export interface StreamGateOptions {
  /** How many may be open at the same time, of all callers together; those of strangers are counted by themselves. */
  readonly maxCount: number;
  /** What they are and do, as whoever finds no room is told: `calls watch`. */
  readonly what: string;
  /** Told of each who found no room. */
  readonly refusals: RefusalTally;
}

/**
 * Lets a call in that may last, for which it takes one of a number of {@link Places} until its signal aborts; that of a call
 * does however the call ends.
 *
 * @throws ConnectError RESOURCE_EXHAUSTED if there is no place; the signal's reason if the caller is gone.
 */
export type StreamGate = (context: Pick<HandlerContext, "signal" | "values">) => void;

/** Makes what keeps calls that may last to a number: of connections, and so of streams, a caller has as many as it likes. */
export function createStreamGate({ maxCount, what, refusals }: StreamGateOptions): StreamGate {
  const places = new Places(maxCount);
  return ({ signal, values }) => {
    signal.throwIfAborted();
    const place = places.take(values.get(callerKey));
    if (!("release" in place)) {
      refusals.too_many_streams += 1;
      const message = `${place.count} ${what}${place.whose}, the most there may be`;
      throw new ConnectError(message, Code.ResourceExhausted);
    }
    signal.addEventListener("abort", place.release, { once: true });
  };
}

import { DialError } from "./dial-error.js";

/** The end of a dial's time, or of its caller's patience. */
export interface DialDeadline {
  /** Aborts with a DialError: `timeout` or `aborted`. */
  readonly signal: AbortSignal;
  /** To be called when the dial is over, however it ended. */
  clear(): void;
}

/**
 * Starts the time of a dial.
 *
 * @param what - What the dial is after, as a message about its failure begins.
 * @param timeoutMs - How long all of it may take together, in milliseconds.
 * @param signal - Gives up.
 */
export function startDialDeadline(
  what: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): DialDeadline {
  const deadline = new AbortController();
  const timer = setTimeout(() => {
    deadline.abort(new DialError("timeout", `${what}: no answer within ${timeoutMs} ms`));
  }, timeoutMs);
  const giveUp = (): void => {
    deadline.abort(new DialError("aborted", `${what}: given up`));
  };
  signal?.addEventListener("abort", giveUp);
  if (signal?.aborted === true) giveUp();
  return {
    signal: deadline.signal,
    clear: () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
    },
  };
}

/** Why a dial's deadline has aborted. */
export function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new DialError("aborted", "connect: given up");
}

import { DialError } from "./dial-error.js";

/** The end of a dial's time, or of its caller's patience. */
export interface DialDeadline {
  /** Why it is over, once it is: `timeout` or `aborted`. */
  readonly reason: DialError | undefined;
  /** Aborts with that reason. It is made for whoever asks for it: most dials are over before anybody needs one. */
  readonly signal: AbortSignal;
  /** Has `onOver` called when it is over, in place of whatever was to be called before. Not if it is already. */
  whenOver(onOver: (reason: DialError) => void): void;
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
  return new Deadline(what, timeoutMs, signal);
}

class Deadline implements DialDeadline {
  readonly #what: string;
  readonly #caller: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;
  #reason: DialError | undefined;
  #controller: AbortController | undefined;
  #onOver: ((reason: DialError) => void) | undefined;

  constructor(what: string, timeoutMs: number, caller: AbortSignal | undefined) {
    this.#what = what;
    this.#caller = caller;
    this.#timer = setTimeout(() => {
      this.#end(new DialError("timeout", `${what}: no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    caller?.addEventListener("abort", this.#giveUp);
    if (caller?.aborted === true) this.#giveUp();
  }

  get reason(): DialError | undefined {
    return this.#reason;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  whenOver(onOver: (reason: DialError) => void): void {
    this.#onOver = onOver;
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this.#giveUp);
  }

  readonly #giveUp = (): void => {
    this.#end(new DialError("aborted", `${this.#what}: given up`));
  };

  #end(reason: DialError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.#onOver?.(reason);
  }
}

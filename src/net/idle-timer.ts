/** Calls back once when nothing has happened for a while, whatever happens then. */
export class IdleTimer {
  readonly #timer: NodeJS.Timeout;

  /** @param idleMs - How long nothing must have happened, in milliseconds, at most 2^31 − 1. */
  constructor(idleMs: number, onIdle: () => void) {
    this.#timer = setTimeout(() => {
      // A timer that is refreshed after it has fired would fire again, unless it is cleared.
      this.stop();
      onIdle();
    }, idleMs);
  }

  /** Something happened: the time begins anew. Costs no more than noting when. */
  touch(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** Somebody who waits, for as long as somebody else likes. */
export interface Waiter {
  /**
   * Called now and then, for the first time up to a tick after it was added.
   *
   * @returns whether it still waits. Otherwise it is forgotten.
   */
  readonly checkWait: () => boolean;
}

export interface WaitWatchOptions {
  /** How often it looks, in milliseconds. Default: 2,000. */
  readonly tickMs?: number;
}

/**
 * Looks now and then after those who wait, all of them by one timer, which runs only while there are some.
 *
 * Who stops waiting for a while need not say so: a wait that is over before it is looked at costs one entry in a set.
 */
export class WaitWatch {
  readonly #tickMs: number;
  readonly #waiters = new Set<Waiter>();
  #isTicking = false;

  constructor({ tickMs = 2_000 }: WaitWatchOptions = {}) {
    this.#tickMs = tickMs;
  }

  /** From now on the waiter is looked after, until it says that it does not wait. It may be added again at any time. */
  add(waiter: Waiter): void {
    this.#waiters.add(waiter);
    if (!this.#isTicking) this.#tick();
  }

  /** Forgets a waiter that will not wait any more: until it is looked at, nothing that it holds is let go of. */
  delete(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }

  #tick(): void {
    this.#isTicking = true;
    setTimeout(this.#check, this.#tickMs).unref();
  }

  readonly #check = (): void => {
    for (const waiter of this.#waiters) {
      if (!waiter.checkWait()) this.#waiters.delete(waiter);
    }
    this.#isTicking = false;
    if (this.#waiters.size > 0) this.#tick();
  };
}

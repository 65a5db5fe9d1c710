export interface TurnsOptions {
  /** How many tasks may run at once. */
  readonly maxRunningCount: number;
  /** How many more may wait for their turn. */
  readonly maxWaitingCount: number;
  /** How long a task is worth waiting for, in milliseconds: one whose turn comes later is not begun. */
  readonly maxWaitMs: number;
}

/** Lets tasks run a few at a time, the others in the order in which they came. */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #waiting: (() => void)[] = [];
  #runningCount = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /**
   * Runs a task: at once, before this returns, where there is room.
   *
   * @throws Error if too many wait already, or if it has waited too long; else what the task throws.
   */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#runningCount < this.#options.maxRunningCount) this.#runningCount += 1;
    else await this.#turn();
    try {
      return await task();
    } finally {
      this.#passOn();
    }
  }

  /** Resolves when somebody who has run hands their place over. */
  async #turn(): Promise<void> {
    const { maxWaitingCount, maxWaitMs } = this.#options;
    if (this.#waiting.length >= maxWaitingCount) throw new Error(`${maxWaitingCount} others wait already`);
    const since = performance.now();
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (performance.now() - since <= maxWaitMs) return;
    this.#passOn();
    throw new Error(`its turn did not come within ${maxWaitMs} ms`);
  }

  #passOn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#runningCount -= 1;
    else next();
  }
}

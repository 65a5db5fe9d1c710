/**
 * Work that is done a step at a time, each of them short, with its result at the end. At each step it is told for how many
 * milliseconds it has been worked on.
 */
export type Steps<T> = Generator<void, T, number>;

export interface SlicedWorkOptions {
  /** How long works together may take before others have their turn of the event loop, in milliseconds. Default: 2. */
  readonly sliceMs?: number;
  /** How long a round is, in milliseconds. Default: 250. */
  readonly roundMs?: number;
  /** The time, in milliseconds. Default: a clock that nobody sets. */
  readonly now?: () => number;
}

/** How many new works go one behind the other before one that has begun goes on. */
const mostFresh = 4;

interface Work {
  /** For how long it has been worked on. */
  usedMs: number;
  /** Takes steps until the time or the work is over. @returns whether the work is. */
  advance: (sliceEndsAtMs: number) => boolean;
}

/**
 * Does works in slices, so that none of them holds up the event loop, however many there are.
 *
 * A new one goes first, for a whole slice, since what is short is not to wait for what is long. Those that are not done by then
 * are long. Behind every fourth new one, one of them goes on. They take turns in rounds, each a round in one go: that leaves few
 * of them in the middle, holding what they have found so far.
 */
export class SlicedWork {
  /** How much of its time a work has taken when it is a long one. */
  readonly sliceMs: number;
  readonly #roundMs: number;
  readonly #now: () => number;
  readonly #fresh: Work[] = [];
  readonly #begun: Work[] = [];
  /** For how long this turn of the event loop has been worked. */
  #usedMs = 0;
  #isTurnAwaited = false;
  /** How many new works have gone before those that have begun. */
  #freshCount = 0;

  constructor({ sliceMs = 2, roundMs = 250, now = () => performance.now() }: SlicedWorkOptions = {}) {
    this.sliceMs = sliceMs;
    this.#roundMs = roundMs;
    this.#now = now;
  }

  /** Does a work: at once, before this returns, if there is time. @returns its result; rejects with what it throws. */
  async run<T>(steps: Steps<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const work: Work = { usedMs: 0, advance: () => true };
      work.advance = (sliceEndsAtMs: number): boolean => {
        const startedAtMs = this.#now();
        let nowMs = startedAtMs;
        try {
          do {
            const step = steps.next(work.usedMs + nowMs - startedAtMs);
            if (step.done === true) {
              resolve(step.value);
              return true;
            }
            nowMs = this.#now();
          } while (nowMs < sliceEndsAtMs);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
          return true;
        }
        work.usedMs += nowMs - startedAtMs;
        return false;
      };
      this.#fresh.push(work);
      this.#work();
    });
  }

  #work(): void {
    while (this.#usedMs < this.sliceMs && this.#workOnce());
    if (this.#isTurnAwaited || this.#usedMs === 0) return;
    this.#isTurnAwaited = true;
    setImmediate(() => {
      this.#isTurnAwaited = false;
      this.#usedMs = 0;
      this.#work();
    });
  }

  /** @returns whether there was something to do. */
  #workOnce(): boolean {
    const isBegunsTurn = this.#freshCount >= mostFresh && this.#begun.length > 0;
    const fresh = isBegunsTurn ? undefined : this.#fresh.shift();
    const work = fresh ?? this.#next();
    if (work === undefined) return false;
    this.#freshCount = fresh === undefined ? 0 : this.#freshCount + 1;
    const startedAtMs = this.#now();
    let isDone = work.advance(startedAtMs + this.sliceMs - this.#usedMs);
    const isLong = work.usedMs >= this.sliceMs;
    // One step more tells it so, and it may end there: from here on it holds what it has found.
    if (!isDone && isLong && fresh !== undefined) isDone = work.advance(startedAtMs);
    const tookMs = this.#now() - startedAtMs;
    // Whoever waits for a result makes an answer of it right away, which takes about as long.
    this.#usedMs += isDone ? 2 * tookMs : tookMs;
    if (isDone && fresh === undefined) this.#begun.splice(this.#begun.indexOf(work), 1);
    // It may have come late in this turn, and had little of its slice.
    if (!isDone && fresh !== undefined) {
      if (isLong) this.#begun.push(work);
      else this.#fresh.unshift(work);
    }
    return true;
  }

  /** The first of those that have had the fewest rounds. */
  #next(): Work | undefined {
    let next = this.#begun[0];
    for (const work of this.#begun) {
      if (next !== undefined && this.#roundsOf(work) < this.#roundsOf(next)) next = work;
    }
    return next;
  }

  #roundsOf({ usedMs }: Work): number {
    return Math.floor(usedMs / this.#roundMs);
  }
}

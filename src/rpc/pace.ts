/** How long one step of long work should take, in milliseconds: between two steps somebody looks at the clock. */
const stepMs = 0.25;
const maxLength = 1_024;

/**
 * How many of many things one step of long work should take.
 *
 * What a thing costs is found out by doing: steps begin with one thing, become longer while they are short, and shorter
 * when they are not.
 */
export class Pace {
  #length = 1;
  #usedMs: number;

  /** @param usedMs - For how long has been worked before the first step. */
  constructor(usedMs: number) {
    this.#usedMs = usedMs;
  }

  /** How many things the next step should take, at most 1,024. */
  get length(): number {
    return this.#length;
  }

  /** To be called after each step. @param usedMs - For how long has been worked so far. */
  step(usedMs: number): void {
    const tookMs = usedMs - this.#usedMs;
    if (tookMs < stepMs) this.#length = Math.min(this.#length * 2, maxLength);
    else if (tookMs > 2 * stepMs) this.#length = Math.max(this.#length >>> 1, 1);
    this.#usedMs = usedMs;
  }
}

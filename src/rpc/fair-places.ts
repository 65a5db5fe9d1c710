/**
 * Places of which one holder has a quarter at most, so that nobody keeps all the others out.
 *
 * @typeParam T - What tells holders apart.
 */
export class FairPlaces<T> {
  readonly #maxCount: number;
  readonly #maxCountOfOne: number;
  readonly #counts = new Map<T, number>();
  #count = 0;

  constructor(maxCount: number) {
    this.#maxCount = maxCount;
    this.#maxCountOfOne = Math.ceil(maxCount / 4);
  }

  /** Takes a place. @returns what gives it back, to be called once; `undefined` if there is none for that holder. */
  take(holder: T): (() => void) | undefined {
    const count = this.#counts.get(holder) ?? 0;
    if (this.#count >= this.#maxCount || count >= this.#maxCountOfOne) return undefined;
    this.#add(holder, 1);
    return () => {
      this.#add(holder, -1);
    };
  }

  #add(holder: T, difference: 1 | -1): void {
    const count = (this.#counts.get(holder) ?? 0) + difference;
    if (count === 0) this.#counts.delete(holder);
    else this.#counts.set(holder, count);
    this.#count += difference;
  }
}

import { CountsByKey } from "../net/counts-by-key.js";

/**
 * Places of which one holder has a quarter at most, so that nobody keeps all the others out.
 *
 * @typeParam T - What tells holders apart.
 */
export class FairPlaces<T> {
  readonly #maxCount: number;
  readonly #maxCountOfOne: number;
  readonly #taken = new CountsByKey<T>();

  constructor(maxCount: number) {
    this.#maxCount = maxCount;
    this.#maxCountOfOne = Math.ceil(maxCount / 4);
  }

  /** Takes a place. @returns what gives it back; `undefined` if there is none for that holder. */
  take(holder: T): (() => void) | undefined {
    if (this.#taken.total >= this.#maxCount || this.#taken.get(holder) >= this.#maxCountOfOne)
      return undefined;
    return this.#taken.take(holder);
  }
}

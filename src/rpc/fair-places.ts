import { CountsByKey } from "../net/counts-by-key.js";

/** How many places one holder may have for each that is free. */
const maxPerFree = 3;

/**
 * Places of which one holder has at most three for each that it leaves free: nobody keeps all the others out, and as long as
 * there are no others, nearly all are there for one.
 *
 * @typeParam T - What tells holders apart.
 */
export class FairPlaces<T> {
  readonly #maxCount: number;
  readonly #taken = new CountsByKey<T>();

  constructor(maxCount: number) {
    this.#maxCount = maxCount;
  }

  /** Takes a place. @returns what gives it back; `undefined` if there is none for that holder. */
  take(holder: T): (() => void) | undefined {
    const freeCount = this.#maxCount - this.#taken.total;
    const count = this.#taken.get(holder);
    // The first is for whoever asks, however few there are.
    const isFair = count === 0 || count + 1 <= maxPerFree * (freeCount - 1);
    return freeCount > 0 && isFair ? this.#taken.take(holder) : undefined;
  }
}

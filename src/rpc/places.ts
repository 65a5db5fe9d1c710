import { CountsByKey } from "../net/counts-by-key.js";
import type { Caller } from "./caller.js";

/** A place that was taken, or why there is none: how many have been taken, and by whom, to be put behind what they do. */
export type Place =
  | { readonly release: () => void }
  | {
      readonly count: number;
      readonly whose: "" | " without a secret" | " without a secret from one address";
    };

/** Which part of the number of places strangers have, on their own, and which of it those of one source. */
const strangersShare = 1 / 2;
const sourceShare = 1 / 4;

/**
 * A number of places for callers. Where there are secrets, those who come without one have places of their own, half as many,
 * of which one source gets no more than half: they never take one from somebody who has a secret, and no one of them
 * takes all from the others.
 */
export class Places {
  readonly #maxCount: number;
  readonly #strangers = new CountsByKey<string>();
  #count = 0;

  constructor(maxCount: number) {
    this.#maxCount = maxCount;
  }

  /** Takes a place for a caller, who gives it back once. */
  take({ strangerFrom: source }: Caller): Place {
    if (source !== undefined) return this.#takeForStranger(source);
    if (this.#count >= this.#maxCount) return { count: this.#count, whose: "" };
    this.#count += 1;
    return {
      release: () => {
        this.#count -= 1;
      },
    };
  }

  #takeForStranger(source: string): Place {
    const ofSource = this.#strangers.get(source);
    if (ofSource >= this.#share(sourceShare)) {
      return { count: ofSource, whose: " without a secret from one address" };
    }
    const { total } = this.#strangers;
    if (total >= this.#share(strangersShare)) return { count: total, whose: " without a secret" };
    return { release: this.#strangers.take(source) };
  }

  /** At least one: otherwise nobody could ask for anything. */
  #share(part: number): number {
    return Math.max(1, Math.floor(this.#maxCount * part));
  }
}

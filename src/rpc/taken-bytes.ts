import { placesPerSlab, type CounterSlab } from "../stats/counter-slab.js";
import type { Int64 } from "../stats/int64.js";

/** What one call has reset, until it is clear that its caller got to know of it. */
export class TakenBytes {
  /** By slab, what was taken at each of its places. */
  readonly #bytes = new Map<CounterSlab, BigInt64Array>();

  /** Whether there is nothing to give back. */
  get isEmpty(): boolean {
    return this.#bytes.size === 0;
  }

  /** Resets the counter at a place, and reads what it had. */
  reset(slab: CounterSlab, place: number, into: Int64): void {
    slab.resetAt(place, into);
    if (!into.isZero) this.#of(slab)[place] = into.value;
  }

  /** Gives everything back, once. */
  giveBack(): void {
    for (const [slab, bytes] of this.#bytes) {
      for (const [place, value] of bytes.entries()) {
        if (value > 0n) slab.counterAt(place).giveBack(value);
      }
    }
    this.#bytes.clear();
  }

  #of(slab: CounterSlab): BigInt64Array {
    const known = this.#bytes.get(slab);
    if (known !== undefined) return known;
    const bytes = new BigInt64Array(placesPerSlab);
    this.#bytes.set(slab, bytes);
    return bytes;
  }
}

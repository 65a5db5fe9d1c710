import { placesPerSlab, type CounterSlab } from "../stats/counter-slab.js";
import type { Int64 } from "../stats/int64.js";

/** What one call has reset, until it is clear that its caller got to know of it. */
export class TakenBytes {
  readonly #bySlab = new Map<CounterSlab, TakenOfSlab>();

  /** Whether there is nothing to give back. */
  get isEmpty(): boolean {
    return this.#bySlab.size === 0;
  }

  /** Resets the counter at a place, and reads what it had. */
  reset(slab: CounterSlab, place: number, into: Int64): void {
    slab.resetAt(place, into);
    if (!into.isZero) this.#of(slab).add(place, into.value);
  }

  /** Gives everything back, once. */
  giveBack(): void {
    for (const [slab, taken] of this.#bySlab) taken.giveBack(slab);
    this.#bySlab.clear();
  }

  #of(slab: CounterSlab): TakenOfSlab {
    const known = this.#bySlab.get(slab);
    if (known !== undefined) return known;
    const taken = new TakenOfSlab();
    this.#bySlab.set(slab, taken);
    return taken;
  }
}

/** Room for so many counters at first: a query of one counter in each of many slabs is not to hold all of these twice. */
const leastRoom = 8;

/** What was taken in one slab. */
class TakenOfSlab {
  #places = new Uint16Array(leastRoom);
  #bytes = new BigInt64Array(leastRoom);
  #count = 0;

  add(place: number, value: bigint): void {
    if (this.#count === this.#places.length) this.#grow();
    this.#places[this.#count] = place;
    this.#bytes[this.#count] = value;
    this.#count += 1;
  }

  giveBack(slab: CounterSlab): void {
    const places = this.#places.subarray(0, this.#count);
    for (const [index, place] of places.entries()) slab.counterAt(place).giveBack(this.#bytes[index] ?? 0n);
  }

  #grow(): void {
    const room = Math.min(this.#count * 4, placesPerSlab);
    const [places, bytes] = [new Uint16Array(room), new BigInt64Array(room)];
    places.set(this.#places);
    bytes.set(this.#bytes);
    this.#places = places;
    this.#bytes = bytes;
  }
}

import { placesPerSlab, type CounterSlab } from "../stats/counter-slab.js";
import { slabsOf, type CounterStore } from "../stats/counter-store.js";
import type { SlabMatcher } from "../stats/slab-matcher.js";
import type { CallContext } from "./call-context.js";
import { deliveryKey } from "./delivery.js";
import { Pace } from "./pace.js";

/** Is given each counter that was read: where its name is, and the value. */
export type TakeCounter = (slab: CounterSlab, place: number, value: bigint) => void;

export interface ReadCountersOptions {
  readonly store: CounterStore;
  readonly matcher: SlabMatcher;
  readonly reset: boolean;
  readonly context: CallContext;
}

/**
 * Reads all counters that are meant, and resets them if asked to, in slices, between which the event loop turns: each counter
 * is read and reset in one step, but not all of them are of one moment.
 *
 * What was reset comes back if the call fails meanwhile, or if its answer is lost.
 *
 * @throws what the context's signal aborts with.
 */
export async function readCounters(
  { store, matcher, reset, context }: ReadCountersOptions,
  take: TakeCounter,
): Promise<void> {
  const taken = new TakenBytes();
  const pace = new Pace();
  try {
    for (const slab of slabsOf(store)) {
      // Slabs fill while they are being read.
      for (let from = 0; from < slab.length;) {
        const to = Math.min(from + pace.stepLength, slab.length);
        for (const place of matcher(slab, from, to)) {
          take(slab, place, reset ? taken.reset(slab, place) : slab.valueAt(place));
        }
        from = to;
        const pause = pace.step();
        if (pause === undefined) continue;
        await pause;
        context.signal.throwIfAborted();
      }
    }
  } catch (error) {
    taken.giveBack();
    throw error;
  }
  if (!taken.isEmpty) {
    context.values.get(deliveryKey).onLost(() => {
      taken.giveBack();
    });
  }
}

/** What one call has reset, until it is clear that its caller got to know of it. */
class TakenBytes {
  /** By slab, what was taken at each of its places. */
  readonly #bytes = new Map<CounterSlab, BigInt64Array>();

  get isEmpty(): boolean {
    return this.#bytes.size === 0;
  }

  reset(slab: CounterSlab, place: number): bigint {
    const value = slab.resetAt(place);
    if (value > 0n) this.#of(slab)[place] = value;
    return value;
  }

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

import { Counter, slotsPerCounter } from "./counter.js";
import { formatStatName, type StatName } from "./stat-name.js";

/** How many counters share one typed array: 64 KiB, small enough for a store that stays small. */
const countersPerSlab = 4096;

/** A counter under its name, as a query lists it. */
export interface NamedCounter {
  /** The whole name, `user>>>alice>>>traffic>>>uplink`. */
  readonly name: string;
  /** The counter itself, not a copy: reading it later tells later figures. */
  readonly counter: Counter;
}

/**
 * The counters of one process, by name.
 *
 * A counter comes into being when it is first asked for by whoever counts, and stays until the process ends, so that a
 * reader never sees a total vanish.
 */
export class CounterStore {
  readonly #counters = new Map<string, Counter>();
  #slab = new BigInt64Array(0);
  #slabLength = 0;

  /** How many counters there are. */
  get size(): number {
    return this.#counters.size;
  }

  /**
   * The counter of that name, created at 0 if it does not exist.
   *
   * Look it up once per connection and keep it: adding to it then costs no look-up.
   *
   * @throws RangeError if the name's tag contains `>>>` or ends with `>`.
   */
  counter(name: StatName): Counter {
    const text = formatStatName(name);
    const existing = this.#counters.get(text);
    if (existing !== undefined) return existing;
    const created = this.#createCounter();
    this.#counters.set(text, created);
    return created;
  }

  /** The counter whose whole name this is, `user>>>alice>>>traffic>>>uplink`, or `undefined`: reading never creates one. */
  get(name: string): Counter | undefined {
    return this.#counters.get(name);
  }

  /**
   * The counters whose name `matches` accepts, each once, in the order in which they were created. They are looked for one
   * by one as they are taken, so counters that come into being meanwhile are found, too.
   *
   * @param matches - Called with each name, in full.
   */
  *query(matches: (name: string) => boolean): Generator<NamedCounter, void, undefined> {
    for (const [name, counter] of this.#counters) {
      if (matches(name)) yield { name, counter };
    }
  }

  #createCounter(): Counter {
    if (this.#slabLength === this.#slab.length) {
      this.#slab = new BigInt64Array(countersPerSlab * slotsPerCounter);
      this.#slabLength = 0;
    }
    const counter = new Counter(this.#slab, this.#slabLength);
    this.#slabLength += slotsPerCounter;
    return counter;
  }
}

import { copyOf } from "./copy-of.js";
import { CounterSlab } from "./counter-slab.js";
import type { Counter } from "./counter.js";
import {
  assertTag,
  formatStatName,
  parseStatName,
  statDirections,
  type StatDirection,
  type StatName,
  type StatScope,
} from "./stat-name.js";

/** What the bound of a store may be: with less than a pair it could count nothing, and V8's maps hold no more than most. */
export const maxCountersRange = { least: 2, most: 2 ** 24, default: 1_000_000 } as const;

/** How large a {@link CounterStore} may become. */
export interface CounterStoreOptions {
  /**
   * How many counters there may be, at some 200 bytes of memory each: names that come from outside shall not fill it. A
   * whole number from 2 to 2^24. Default: 1,000,000.
   */
  readonly maxCounters?: number;
}

/** A counter under its name, as a query lists it. */
export interface NamedCounter {
  /** The whole name, `user>>>alice>>>traffic>>>uplink`. */
  readonly name: string;
  /** The counter itself, not a copy: reading it later tells later figures. */
  readonly counter: Counter;
}

/** Both counters of one inbound, outbound or user. */
export interface CounterPair {
  /** Counts what runs from clients towards their destinations. */
  readonly uplink: Counter;
  /** Counts what comes back. */
  readonly downlink: Counter;
}

/** An inbound, outbound or user, and the counters that it has: whoever asks for one by its name gets that one alone. */
export interface CounterSubject {
  /** Which of the three it is. */
  readonly scope: StatScope;
  /** Its tag, or the user's name. */
  readonly tag: string;
  /** Counts what runs from clients towards their destinations, if somebody asked for it. */
  readonly uplink: Counter | undefined;
  /** Counts what comes back, if somebody asked for it. */
  readonly downlink: Counter | undefined;
}

/** The slabs that hold a store's counters, in the order of {@link CounterStore.query}. More may come, and they may fill. */
export let slabsOf: (store: CounterStore) => readonly CounterSlab[];

/**
 * The counters of one process, by name.
 *
 * A counter comes into being when it is first asked for by whoever counts, and stays until the process ends, so that a
 * reader never sees a total vanish. There are at most {@link CounterStoreOptions.maxCounters} of them.
 *
 * A connection finds its counters by a tag, without writing a name out; a query finds the names written out already.
 */
export class CounterStore {
  #maxCounters = 0;
  readonly #slabs: CounterSlab[] = [];
  readonly #subjects: Subject[] = [];
  readonly #subjectsByTag: Readonly<Record<StatScope, Map<string, Subject>>> = {
    inbound: new Map(),
    outbound: new Map(),
    user: new Map(),
  };
  #size = 0;

  static {
    slabsOf = (store) => store.#slabs;
  }

  /**
   * A store without counters.
   *
   * @throws RangeError unless `maxCounters` is a whole number in its range.
   */
  constructor({ maxCounters = maxCountersRange.default }: CounterStoreOptions = {}) {
    this.maxCounters = maxCounters;
  }

  /**
   * How many counters there may be. It may be set while the store is in use: when there are more already, they stay, and
   * none is added.
   *
   * @throws RangeError unless it is set to a whole number in its range.
   */
  get maxCounters(): number {
    return this.#maxCounters;
  }

  set maxCounters(count: number) {
    if (!isMaxCounters(count)) {
      const { least, most } = maxCountersRange;
      throw new RangeError(`maxCounters: expected a whole number from ${least} to ${most}, got ${count}`);
    }
    this.#maxCounters = count;
  }

  /** How many counters there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * The counter of that name, created at 0 if it does not exist. Each call returns another object, which counts the same bytes.
   *
   * Look it up once per connection and keep it: adding to it then costs no look-up.
   *
   * @throws RangeError if the name's tag contains `>>>` or ends with `>`, or if it were one counter too many.
   */
  counter(name: StatName): Counter {
    const { scope, tag, direction } = name;
    const known = this.#subjectsByTag[scope].get(tag);
    const existing = known?.[direction];
    if (existing !== undefined) return existing;
    const text = formatStatName(name);
    if (!this.#hasRoomFor(1)) {
      throw new RangeError(
        `cannot create the counter ${text}: there are ${this.maxCounters}, the most there may be`,
      );
    }
    const subject = known ?? this.#createSubject(scope, tag);
    return this.#createCounter(subject, direction);
  }

  /**
   * Both counters of an inbound, outbound or user at the price of one look-up, created at 0 if they do not exist.
   *
   * @returns `undefined`, and creates neither, if they were too many.
   * @throws RangeError if the tag contains `>>>` or ends with `>`.
   */
  pair(scope: StatScope, tag: string): CounterPair | undefined {
    const known = this.#subjectsByTag[scope].get(tag);
    const existing = known?.pair;
    if (existing !== undefined) return existing;
    assertTag(tag);
    const missing = statDirections.filter((direction) => known?.[direction] === undefined);
    if (!this.#hasRoomFor(missing.length)) return undefined;
    const subject = known ?? this.#createSubject(scope, tag);
    for (const direction of missing) this.#createCounter(subject, direction);
    return subject.pair;
  }

  /** The counter whose whole name this is, `user>>>alice>>>traffic>>>uplink`, or `undefined`: reading never creates one. */
  get(name: string): Counter | undefined {
    const parts = parseStatName(name);
    return parts && this.#subjectsByTag[parts.scope].get(parts.tag)?.[parts.direction];
  }

  /**
   * The counters whose name `matches` accepts, each once, in the order in which their tags came up, uplink first. They are
   * looked for one by one as they are taken, so those of tags that come up meanwhile are found, too.
   *
   * @param matches - Called with each name, in full.
   */
  *query(matches: (name: string) => boolean): Generator<NamedCounter, void, undefined> {
    for (const subject of this.#subjects) {
      for (const direction of statDirections) {
        const counter = subject[direction];
        if (counter === undefined) continue;
        const name = formatStatName({ scope: subject.scope, tag: subject.tag, direction });
        if (matches(name)) yield { name, counter };
      }
    }
  }

  /**
   * All inbounds, outbounds or users that have counters, in the order in which they came up. Like {@link query}, it finds
   * those that come up while they are taken, and it may be taken at leisure.
   */
  subjects(scope: StatScope): IterableIterator<CounterSubject> {
    return this.#subjectsByTag[scope].values();
  }

  #hasRoomFor(count: number): boolean {
    return this.#size + count <= this.maxCounters;
  }

  #createSubject(scope: StatScope, tag: string): Subject {
    const ownTag = copyOf(tag);
    const subject = new Subject(scope, ownTag, this.#slabWithRoom());
    this.#subjects.push(subject);
    this.#subjectsByTag[scope].set(ownTag, subject);
    return subject;
  }

  #slabWithRoom(): CounterSlab {
    const last = this.#slabs.at(-1);
    if (last?.isFull === false) return last;
    const slab = new CounterSlab();
    this.#slabs.push(slab);
    return slab;
  }

  #createCounter(subject: Subject, direction: StatDirection): Counter {
    this.#size++;
    return subject.create(direction);
  }
}

/** Whether a number can be the bound of a store. */
function isMaxCounters(count: number): boolean {
  return Number.isInteger(count) && count >= maxCountersRange.least && count <= maxCountersRange.most;
}

/**
 * A {@link CounterSubject} as the store itself has it: its figures are in a slab, and a counter is made for whoever asks, since
 * those of a million would take more than what they count.
 */
class Subject implements CounterSubject {
  readonly scope: StatScope;
  readonly tag: string;
  readonly #slab: CounterSlab;
  /** The first of its places in the slab. */
  readonly #place: number;

  constructor(scope: StatScope, tag: string, slab: CounterSlab) {
    this.scope = scope;
    this.tag = tag;
    this.#slab = slab;
    this.#place = slab.addSubject({ scope, tag });
  }

  get uplink(): Counter | undefined {
    return this.#slab.find(this.#place, "uplink");
  }

  get downlink(): Counter | undefined {
    return this.#slab.find(this.#place, "downlink");
  }

  /** Both counters, if there are both. */
  get pair(): CounterPair | undefined {
    const { uplink, downlink } = this;
    return uplink && downlink && { uplink, downlink };
  }

  create(direction: StatDirection): Counter {
    return this.#slab.createCounter(this.#place, direction);
  }
}

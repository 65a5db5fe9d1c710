import { Counter, slotsPerCounter } from "./counter.js";
import type { Int64 } from "./int64.js";
import { formatStatName, statDirections, type StatDirection, type StatName } from "./stat-name.js";

/** How many subjects share one slab: their figures take 64 KiB, small enough for a store that stays small. */
const subjectsPerSlab = 2_048;
/** Places of a slab: two for each subject, one for each direction, whether it is counted or not. */
export const placesPerSlab = subjectsPerSlab * statDirections.length;

/**
 * The figures and the names of some thousand counters, side by side.
 *
 * A counter's place in it is a number from 0 to {@link length}. A query goes through the places of one slab after the other:
 * their names lie in one piece of memory, in UTF-8 as the wire has them, to be searched without a string being made and
 * copied into an answer.
 */
export class CounterSlab {
  readonly #figures = new BigInt64Array(placesPerSlab * slotsPerCounter);
  readonly #halves = new Uint32Array(this.#figures.buffer);
  readonly #isCounted = new Uint8Array(placesPerSlab);
  readonly #nameStarts = new Uint32Array(placesPerSlab + 1);
  #names = Buffer.alloc(4_096);
  #words = wordsOf(this.#names);
  #length = 0;

  /** How many places are taken. */
  get length(): number {
    return this.#length;
  }

  /** Whether another subject has to go into another slab. */
  get isFull(): boolean {
    return this.#length === placesPerSlab;
  }

  /** The names of all places, one behind the other. */
  get names(): Buffer {
    return this.#names;
  }

  /** Where the name of a place begins in {@link names}. It ends where that of the next place begins. */
  nameStart(place: number): number {
    return this.#nameStarts[place] ?? 0;
  }

  /** The name of a place. */
  nameAt(place: number): string {
    return this.#names.toString("utf8", this.nameStart(place), this.nameStart(place + 1));
  }

  /**
   * Copies the name of a place. For some forty bytes that is faster by words than with a call of any kind.
   *
   * @returns where its copy ends.
   */
  copyName(place: number, target: DataView, at: number): number {
    const end = this.nameStart(place + 1);
    const words = this.#words;
    let from = this.nameStart(place);
    let to = at;
    for (; from + 4 <= end; from += 4, to += 4) target.setUint32(to, words.getUint32(from));
    for (; from < end; from++, to++) target.setUint8(to, words.getUint8(from));
    return to;
  }

  /** Whether there is a counter at a place: a subject may be counted in one direction only. */
  isCounted(place: number): boolean {
    return this.#isCounted[place] === 1;
  }

  /**
   * Gives a subject its places, one for each direction in the order of {@link statDirections}, with no counters yet.
   *
   * @returns the first of them.
   */
  addSubject(subject: Omit<StatName, "direction">): number {
    const first = this.#length;
    for (const direction of statDirections) this.#addName(formatStatName({ ...subject, direction }));
    if (this.isFull) this.#resizeNames(this.nameStart(this.#length));
    return first;
  }

  /** Makes the counter of one direction of a subject, which begins at 0. */
  createCounter(first: number, direction: StatDirection): Counter {
    const place = first + statDirections.indexOf(direction);
    this.#isCounted[place] = 1;
    return this.counterAt(place);
  }

  /** The counter of one direction of a subject, if there is one. */
  find(first: number, direction: StatDirection): Counter | undefined {
    const place = first + statDirections.indexOf(direction);
    return this.isCounted(place) ? this.counterAt(place) : undefined;
  }

  /** The counter at a place. Each call returns another object, which counts the same bytes. */
  counterAt(place: number): Counter {
    return new Counter(this.#figures, place * slotsPerCounter);
  }

  /** Reads {@link Counter.value} of the counter at a place, without the counter. */
  readAt(place: number, into: Int64): void {
    const slot = place * slotsPerCounter;
    into.setDifference(this.#halves, slot, slot + 1);
  }

  /** The same for {@link Counter.reset}. */
  resetAt(place: number, into: Int64): void {
    this.readAt(place, into);
    const slot = place * slotsPerCounter;
    this.#halves.copyWithin(2 * (slot + 1), 2 * slot, 2 * (slot + 1));
  }

  #addName(name: string): void {
    const start = this.nameStart(this.#length);
    const end = start + Buffer.byteLength(name);
    if (end > this.#names.length) this.#resizeNames(Math.max(end, this.#names.length * 2));
    this.#names.write(name, start);
    this.#length += 1;
    this.#nameStarts[this.#length] = end;
  }

  #resizeNames(length: number): void {
    const resized = Buffer.alloc(length);
    this.#names.copy(resized);
    this.#names = resized;
    this.#words = wordsOf(resized);
  }
}

function wordsOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}

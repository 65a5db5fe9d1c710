/** How many `BigInt64Array` slots one counter takes: its total and its baseline. */
export const slotsPerCounter = 2;

/**
 * A count of bytes that only grows.
 *
 * A reset does not lower the count: it moves a baseline up to it and returns the difference, in one synchronous step.
 * So no byte is lost or answered twice between two resets, and {@link total} suits readers that need a series that
 * never falls (Prometheus). There is one baseline, shared by everyone who resets.
 *
 * The count is exact over int64 (2^63 − 1 bytes, 9.2 EB), which is also the wire's type, and adding to it allocates
 * nothing.
 */
export class Counter {
  readonly #slots: BigInt64Array;
  readonly #index: number;

  /**
   * A counter at 0, unless its slots hold figures.
   *
   * @param slots - Where the two numbers live. A store packs the counters of many connections into one array, which
   *   keeps a million of them small; a counter on its own makes its own.
   * @param index - The first of the counter's two slots.
   * @throws RangeError if the array has no such slots.
   */
  constructor(slots: BigInt64Array = new BigInt64Array(slotsPerCounter), index = 0) {
    if (!Number.isInteger(index) || index < 0 || index + slotsPerCounter > slots.length) {
      throw new RangeError(`counter slots ${index}…${index + 1} lie outside an array of ${slots.length}`);
    }
    this.#slots = slots;
    this.#index = index;
  }

  /**
   * Adds bytes; called once per chunk.
   *
   * @throws RangeError unless `bytes` is a whole number from 0 to 2^53 − 1. Nothing is added then.
   */
  add(bytes: number): void {
    if (bytes < 0 || bytes > Number.MAX_SAFE_INTEGER) {
      throw new RangeError(`cannot add ${bytes} bytes: expected 0 to 2^53 - 1`);
    }
    // BigInt() throws the RangeError for fractions and NaN by itself; V8 keeps the sum in the slot, so none is allocated.
    this.#slots[this.#index] = this.total + BigInt(bytes);
  }

  /** Bytes since the last reset. */
  get value(): bigint {
    return this.total - this.#baseline;
  }

  /** Bytes since the counter was created; resets do not lower it. */
  get total(): bigint {
    return this.#slots[this.#index] ?? 0n;
  }

  /** Returns {@link value} and makes it 0, in one step. Whoever calls it has the only record of those bytes. */
  reset(): bigint {
    const { value } = this;
    this.#slots[this.#index + 1] = this.total;
    return value;
  }

  /**
   * Takes a reset back whose answer nobody received: the bytes that it returned are part of {@link value} again.
   * Resets and bytes that came in between keep their effect.
   *
   * @param bytes - What a {@link reset} returned.
   * @throws RangeError unless `bytes` lies between 0 and what was ever reset.
   */
  giveBack(bytes: bigint): void {
    const baseline = this.#baseline;
    if (bytes < 0n || bytes > baseline) {
      throw new RangeError(`cannot give back ${bytes} bytes: ${baseline} were reset`);
    }
    this.#slots[this.#index + 1] = baseline - bytes;
  }

  get #baseline(): bigint {
    return this.#slots[this.#index + 1] ?? 0n;
  }
}

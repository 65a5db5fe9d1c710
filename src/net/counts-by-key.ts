/**
 * How many of something each holder has, and all of them together. One who has none is not remembered, so that it is no larger
 * than what it counts.
 *
 * @typeParam K - What tells holders apart.
 */
export class CountsByKey<K> {
  readonly #counts = new Map<K, number>();
  #total = 0;

  /** How many all have. */
  get total(): number {
    return this.#total;
  }

  /** How many holders have some. */
  get size(): number {
    return this.#counts.size;
  }

  /** How many one has. */
  get(key: K): number {
    return this.#counts.get(key) ?? 0;
  }

  /** Gives one so many more, or takes them back. */
  add(key: K, difference: number): void {
    const count = this.get(key) + difference;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
    this.#total += difference;
  }

  /** Gives one another. @returns what takes it back; safe to call twice. */
  take(key: K): () => void {
    this.add(key, 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.add(key, -1);
      isTaken = false;
    };
  }
}

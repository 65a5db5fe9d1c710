interface Link<T> {
  readonly value: T;
  older: Link<T> | undefined;
  newer: Link<T> | undefined;
}

/**
 * Things in the order in which they came. To add one, to take one out and to find the oldest takes the same time however
 * many there are: in a Set, the first is behind the holes that those before it have left.
 */
export class OldestFirst<T> {
  #oldest: Link<T> | undefined;
  #newest: Link<T> | undefined;

  /** What has been there longest. */
  get oldest(): T | undefined {
    return this.#oldest?.value;
  }

  /** @returns how to take it out, which may be done once. */
  add(value: T): () => void {
    const link: Link<T> = { value, older: this.#newest, newer: undefined };
    if (link.older === undefined) this.#oldest = link;
    else link.older.newer = link;
    this.#newest = link;
    return () => {
      const { older, newer } = link;
      if (older === undefined) this.#oldest = newer;
      else older.newer = newer;
      if (newer === undefined) this.#newest = older;
      else newer.older = older;
    };
  }
}

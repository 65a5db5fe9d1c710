import { OldestFirst } from "./oldest-first.js";

interface Entry {
  readonly leave: () => void;
  readonly end: () => void;
}

interface Source {
  readonly name: string;
  readonly connections: OldestFirst<Entry>;
  count: number;
  leaveRank: () => void;
}

/**
 * The connections that are not trusted, which make room for others: of a source the one that has been there longest, since
 * who has a right secret sends it soon, and else of the source that has most of them.
 *
 * It takes the same time however many there are.
 */
export class UntrustedConnections {
  readonly #sources = new Map<string, Source>();
  /** The sources by how many they have, those first who have had as many for the longest time. No rank is empty. */
  readonly #ranks = new Map<number, OldestFirst<Source>>();
  #mostCount = 0;

  /**
   * @param end - Ends the connection, which has left by then.
   * @returns how it leaves, because it is trusted or over. To call it twice does no harm.
   */
  add(name: string, end: () => void): () => void {
    const source = this.#sources.get(name) ?? this.#open(name);
    let isThere = true;
    const leave = (): void => {
      if (!isThere) return;
      isThere = false;
      takeOut();
      this.#count(source, -1);
    };
    const takeOut = source.connections.add({ leave, end });
    this.#count(source, 1);
    return leave;
  }

  /**
   * Ends one, of that source or else of the one that has most.
   *
   * @returns whether there was one.
   */
  endOne(name?: string): boolean {
    const source = name === undefined ? this.#ranks.get(this.#mostCount)?.oldest : this.#sources.get(name);
    const entry = source?.connections.oldest;
    entry?.leave();
    entry?.end();
    return entry !== undefined;
  }

  #open(name: string): Source {
    const source = { name, connections: new OldestFirst<Entry>(), count: 0, leaveRank: ignore };
    this.#sources.set(name, source);
    return source;
  }

  #count(source: Source, change: 1 | -1): void {
    const before = source.count;
    source.leaveRank();
    if (this.#ranks.get(before)?.oldest === undefined) this.#ranks.delete(before);
    source.count += change;
    // The highest rank moves by one at a time, as its sources do.
    if (source.count > this.#mostCount || !this.#ranks.has(this.#mostCount)) this.#mostCount = source.count;
    if (source.count === 0) this.#sources.delete(source.name);
    else source.leaveRank = this.#rankOf(source.count).add(source);
  }

  #rankOf(count: number): OldestFirst<Source> {
    const known = this.#ranks.get(count);
    if (known !== undefined) return known;
    const rank = new OldestFirst<Source>();
    this.#ranks.set(count, rank);
    return rank;
  }
}

function ignore(): void {
  // It has no rank yet.
}

import { counterNamesOf, longTagOf, tagOf, valueOf } from "./counters.js";

/** A query as both peers hand it over. */
export interface MapQuery {
  readonly pattern: string;
  readonly patterns: readonly string[];
  readonly regexp: boolean;
  readonly reset: boolean;
}

export interface MapStat {
  readonly name: string;
  readonly value: number;
}

/** Counters as a server has them that somebody writes in an hour: a `Map`, gone through at every query. */
export class MapCounters {
  readonly #values = new Map<string, number>();

  constructor(count: number) {
    for (let index = 0; index < count / 2; index++) this.#add(tagOf(index), valueOf(index));
  }

  /** Adds counters with long names. */
  fill(count: number): void {
    for (let index = 0; index < count / 2; index++) this.#add(longTagOf(index), 0);
  }

  get(name: string, reset: boolean): MapStat | undefined {
    const value = this.#values.get(name);
    if (value !== undefined && reset) this.#values.set(name, 0);
    return value === undefined ? undefined : { name, value };
  }

  query({ pattern, patterns, regexp, reset }: MapQuery): MapStat[] {
    const all = pattern === "" ? patterns : [pattern, ...patterns];
    const matchers = all.map((text) => {
      if (!regexp) return (name: string) => name.includes(text);
      const expression = new RegExp(text);
      return (name: string) => expression.test(name);
    });
    const found: MapStat[] = [];
    for (const [name, value] of this.#values) {
      if (matchers.length > 0 && !matchers.some((matches) => matches(name))) continue;
      found.push({ name, value });
      if (reset) this.#values.set(name, 0);
    }
    return found;
  }

  #add(tag: string, value: number): void {
    for (const name of counterNamesOf(tag)) this.#values.set(name, value);
  }
}

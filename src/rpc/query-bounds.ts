import { Code, ConnectError } from "@connectrpc/connect";
import type { RegexpCompiler } from "../stats/matcher.js";
import type { AnswerQueue } from "./answer-queue.js";
import type { ApiLimits } from "./api-limits.js";
import { FairPlaces } from "./fair-places.js";
import type { RefusalTally } from "./refusal-tally.js";

/** As much of a request of QueryStats as has bounds. */
interface BoundedQuery {
  readonly pattern: string;
  readonly patterns: readonly string[];
}

/** What a query may come to. Whatever goes beyond is counted, and thrown as a ConnectError that says by how much. */
export class QueryBounds {
  readonly #limits: Required<ApiLimits>;
  readonly #refusals: RefusalTally;
  readonly #places: FairPlaces<object | string>;

  constructor(limits: Required<ApiLimits>, refusals: RefusalTally) {
    this.#limits = limits;
    this.#refusals = refusals;
    this.#places = new FairPlaces(limits.maxWaitingQueries);
  }

  /** @throws ConnectError INVALID_ARGUMENT if the patterns are too many, or one of them is too long. */
  assertPatterns({ pattern, patterns }: BoundedQuery): void {
    const { maxPatterns, maxPatternLength } = this.#limits;
    const count = patterns.length + (pattern === "" ? 0 : 1);
    if (count > maxPatterns) {
      this.#refusals.many_patterns += 1;
      throw new ConnectError(`${count} patterns, at most ${maxPatterns} are allowed`, Code.InvalidArgument);
    }
    const longest = patterns.reduce((most, { length }) => Math.max(most, length), pattern.length);
    if (longest > maxPatternLength) {
      this.#refusals.long_pattern += 1;
      throw new ConnectError(
        `a pattern of ${longest} characters, at most ${maxPatternLength} are allowed`,
        Code.InvalidArgument,
      );
    }
  }

  /**
   * A compiler for the expressions of one query, with what they may come to. What it compiles with is large, and few queries
   * have expressions: it is loaded with the first of them, and a server starts without it.
   */
  async loadCompiler(): Promise<RegexpCompiler> {
    const { createRegexpCompiler } = await import("./regexp.js");
    return createRegexpCompiler(this.#limits, () => {
      this.#refusals.costly_regexp += 1;
    });
  }

  /** @throws ConnectError RESOURCE_EXHAUSTED if the search has taken too long. */
  assertTime(usedMs: number): void {
    const { maxQueryMs } = this.#limits;
    if (usedMs <= maxQueryMs) return;
    this.#refusals.long_query += 1;
    throw new ConnectError(
      `the patterns take more than ${maxQueryMs} ms for the counters that there are`,
      Code.ResourceExhausted,
    );
  }

  /**
   * A place among the long queries.
   *
   * @returns what gives it back, to be called once.
   * @throws ConnectError RESOURCE_EXHAUSTED if there is none for that holder.
   */
  takePlace(holder: object | string): () => void {
    const leave = this.#places.take(holder);
    if (leave !== undefined) return leave;
    this.#refusals.waiting_queries += 1;
    throw new ConnectError("too many long queries wait already; try again", Code.ResourceExhausted);
  }

  /** @throws ConnectError RESOURCE_EXHAUSTED unless there is room for another large answer of that holder. */
  assertRoom(queue: Pick<AnswerQueue, "hasRoomFor">, holder: object | string): void {
    if (queue.hasRoomFor(holder)) return;
    this.#refusals.queued_answers += 1;
    throw new ConnectError(
      "too many bytes of answers wait to be read already; try again",
      Code.ResourceExhausted,
    );
  }
}

import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import type { CounterStore, NamedCounter } from "../stats/counter-store.js";
import type { RegexpCompiler } from "../stats/matcher.js";
import type { OnlineUsers } from "../track/online-users.js";
import { answerQueueKey } from "./answer-queue.js";
import { defaultApiLimits, type ApiLimits } from "./api-limits.js";
import { assertMayReset, holderOf } from "./caller.js";
import { createOnlineCalls, type OnlineCalls } from "./online-calls.js";
import { QueryBounds } from "./query-bounds.js";
import { queryInSteps } from "./query-steps.js";
import { createRefusalTally, type RefusalTally } from "./refusal-tally.js";
import { resetFor } from "./reset-for.js";
import { SlicedWork, type Steps } from "./sliced-work.js";
import { StatList } from "./stat-list.js";
import type { SysStatsFigures, SysStatsSource } from "./sys-stats.js";

export interface StatsServiceOptions {
  readonly store: CounterStore;
  /** Who is online. Without it the calls about that are UNIMPLEMENTED. */
  readonly online?: OnlineUsers | undefined;
  readonly sysStats: SysStatsSource;
  /** What a query may come to. Default: that of {@link ApiLimits}. */
  readonly limits?: ApiLimits;
  /** Told of every query that is refused. Default: one that nobody reads. */
  readonly refusals?: RefusalTally;
}

interface GetRequest {
  readonly name: string;
  readonly reset: boolean;
}

interface QueryRequest {
  readonly pattern: string;
  readonly patterns: readonly string[];
  readonly regexp: boolean;
  readonly reset: boolean;
}

interface Stat {
  readonly name: string;
  readonly value: bigint;
}

/** Counters are listed, or, where they are many, encoded already. */
interface QueryAnswer {
  readonly stat: Stat[];
}

/** With so many counters an answer is encoded as it is made. */
const manyCount = 2_048;
/** How many counters are read in one step. */
const readsPerStep = 64;

/**
 * The calls of the V2Ray API's StatsService, for whatever name it is served under, and of Xray's where there is somebody to
 * know who is online. No byte slips between reading a counter and resetting it: that is
 * one step. A query of many counters, or with patterns that take their time, is answered a slice at a time, and its counters
 * are then not read in the same moment; every byte is in one answer all the same.
 */
export interface StatsService extends Partial<OnlineCalls> {
  /**
   * Reads one counter, and resets it if asked to.
   *
   * @throws ConnectError NOT_FOUND, `NAME not found.`; PERMISSION_DENIED for a reset by who may not.
   */
  getStats(request: GetRequest, context: HandlerContext): { stat: Stat };
  /**
   * Reads all counters that match, and resets them if asked to.
   *
   * @throws ConnectError INVALID_ARGUMENT for a bad regular expression and for patterns that are too many, too long or too
   * costly, RESOURCE_EXHAUSTED if it takes too long, if it is long and too many such are there, or if its answer is
   * large and too much waits to be read, PERMISSION_DENIED for a reset by who may not; then nothing is reset.
   */
  queryStats(request: QueryRequest, context: HandlerContext): Promise<QueryAnswer>;
  getSysStats(): SysStatsFigures;
}

/** Implements the StatsService over a counter store. */
export function createStatsService({
  store,
  online,
  sysStats,
  limits = {},
  refusals = createRefusalTally(),
}: StatsServiceOptions): StatsService {
  const bounds = new QueryBounds({ ...defaultApiLimits, ...limits }, refusals);
  const work = new SlicedWork();

  function* query(
    { pattern, patterns, reset }: QueryRequest,
    compileRegexp: RegexpCompiler | undefined,
    context: HandlerContext,
  ): Steps<QueryAnswer> {
    const holder = holderOf(context.values);
    let leave: (() => void) | undefined;
    const check = (usedMs: number): void => {
      context.signal.throwIfAborted();
      bounds.assertTime(usedMs);
      // Until then it has found little that it could hold, so that any number of short queries may wait.
      if (usedMs >= work.sliceMs) leave ??= bounds.takePlace(holder);
    };
    try {
      check(0);
      const found = yield* queryInSteps(store, {
        patterns: pattern === "" ? patterns : [pattern, ...patterns],
        compileRegexp,
        check,
      });
      if (found.length >= manyCount) bounds.assertRoom(context.values.get(answerQueueKey), holder);
      return yield* answer(found, reset, context);
    } finally {
      leave?.();
    }
  }

  function* answer(found: NamedCounter[], reset: boolean, context: HandlerContext): Steps<QueryAnswer> {
    // From the first reset on nothing may fail: it would be answered, and the bytes were lost.
    const list = found.length >= manyCount && isBinary(context) ? new StatList() : undefined;
    const stat: Stat[] = [];
    for (const [index, { name, counter }] of found.entries()) {
      if (index % readsPerStep === readsPerStep - 1) yield;
      const value = reset ? resetFor(context, counter) : counter.value;
      if (list === undefined) stat.push({ name, value });
      else list.add(name, value);
    }
    if (list === undefined) return { stat };
    // Of the very type that this name of the service has: others would be copied without what is encoded.
    return Object.assign(create(context.method.output), { stat, $unknown: list.toUnknown() });
  }

  return {
    ...(online && createOnlineCalls({ online, store })),

    getStats({ name, reset }, context) {
      context.signal.throwIfAborted();
      if (reset) assertMayReset(context);
      const counter = store.get(name);
      if (counter === undefined) throw new ConnectError(`${name} not found.`, Code.NotFound);
      return { stat: { name, value: reset ? resetFor(context, counter) : counter.value } };
    },

    async queryStats(request, context) {
      context.signal.throwIfAborted();
      if (request.reset) assertMayReset(context);
      bounds.assertPatterns(request);
      const compileRegexp = request.regexp ? await bounds.loadCompiler() : undefined;
      return work.run(query(request, compileRegexp, context));
    },

    getSysStats: () => sysStats.read(),
  };
}

/** Whether the caller reads protobuf: in every protocol, JSON is in the name of its content type. */
function isBinary({ requestHeader }: HandlerContext): boolean {
  return !/json/i.test(requestHeader.get("content-type") ?? "json");
}

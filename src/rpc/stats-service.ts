import { create, type Message } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import type { CounterStore } from "../stats/counter-store.js";
import type { OnlineUsers } from "../track/online-users.js";
import { answerQueueKey } from "./answer-queue.js";
import { defaultApiLimits, type ApiLimits } from "./api-limits.js";
import type { CallContext } from "./call-context.js";
import { assertMayReset, holderOf } from "./caller.js";
import { JsonStatWriter } from "./json-stat-writer.js";
import { createOnlineCalls, type OnlineCalls } from "./online-calls.js";
import { QueryBounds } from "./query-bounds.js";
import { readCounters, type TakeCounter } from "./read-counters.js";
import { createRefusalTally, type RefusalTally } from "./refusal-tally.js";
import { resetFor } from "./reset-for.js";
import { SlicedWork } from "./sliced-work.js";
import { StatWriter } from "./stat-writer.js";
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

/** Of a store with so many counters, answers are encoded as they are made: to do that at once would hold the event loop up. */
const manyCount = 2_048;

/**
 * The calls of the V2Ray API's StatsService, for whatever name it is served under, and of Xray's where there is somebody to
 * know who is online. No byte slips between reading a counter and resetting it: that is one step. A query of many counters, or
 * with patterns that take their time, is answered a slice at a time, and its counters are then not read in the same moment;
 * every byte is in one answer all the same.
 */
export interface StatsService extends Partial<OnlineCalls> {
  /**
   * Reads one counter, and resets it if asked to.
   *
   * @throws ConnectError NOT_FOUND, `NAME not found.`; PERMISSION_DENIED for a reset by who may not.
   */
  getStats(request: GetRequest, context: CallContext): { stat: Stat };
  /**
   * Reads all counters that match, and resets them if asked to.
   *
   * @throws ConnectError INVALID_ARGUMENT for a bad regular expression and for patterns that are too many, too long or too
   * costly, RESOURCE_EXHAUSTED if it takes too long, if it is long and too many such are there, or if its answer is
   * large and too much waits to be read, PERMISSION_DENIED for a reset by who may not; then nothing stays reset.
   */
  queryStats(request: QueryRequest, context: HandlerContext): Promise<QueryAnswer>;
  /** The answer of {@link queryStats}, written out in pieces, in protobuf's binary form or in its JSON. */
  writeQueryStats(
    request: QueryRequest,
    context: CallContext,
    isBinary: boolean,
  ): Promise<readonly Uint8Array[]>;
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

  async function query(request: QueryRequest, context: CallContext, take: TakeCounter): Promise<void> {
    const { pattern, patterns, regexp, reset } = request;
    context.signal.throwIfAborted();
    if (reset) assertMayReset(context);
    bounds.assertPatterns(request);
    const compileRegexp = regexp ? await bounds.loadCompiler() : undefined;
    const holder = holderOf(context.values);
    let leave: (() => void) | undefined;
    let foundCount = 0;
    const check = (usedMs: number): void => {
      context.signal.throwIfAborted();
      bounds.assertTime(usedMs);
      // Until then it has found little that it could hold, so that any number of short queries may wait.
      if (usedMs >= work.sliceMs) leave ??= bounds.takePlace(holder);
    };
    const takeWhereThereIsRoom: TakeCounter = (slab, place, value) => {
      foundCount += 1;
      if (foundCount === manyCount) bounds.assertRoom(context.values.get(answerQueueKey), holder);
      take(slab, place, value);
    };
    const allPatterns = pattern === "" ? patterns : [pattern, ...patterns];
    const options = { store, patterns: allPatterns, compileRegexp, reset, context, check };
    try {
      await work.run(readCounters(options, takeWhereThereIsRoom));
    } finally {
      leave?.();
    }
  }

  const writeQueryStats: StatsService["writeQueryStats"] = async (request, context, isBinary) => {
    const writer = isBinary ? new StatWriter() : new JsonStatWriter();
    await query(request, context, (slab, place, value) => {
      writer.add(slab, place, value);
    });
    return writer.finish();
  };

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
      const stat: Stat[] = [];
      if (store.size >= manyCount && isBinary(context)) {
        const $unknown = asUnknown(await writeQueryStats(request, context, true));
        // Of the very type that this name of the service has: others would be copied without what is encoded.
        return Object.assign(create(context.method.output), { stat, $unknown });
      }
      await query(request, context, (slab, place, value) => {
        stat.push({ name: slab.nameAt(place), value: value.value });
      });
      return { stat };
    },

    writeQueryStats,

    getSysStats: () => sysStats.read(),
  };
}

/** Whether the caller reads protobuf: in every protocol, JSON is in the name of its content type. */
function isBinary({ requestHeader }: HandlerContext): boolean {
  return !/json/i.test(requestHeader.get("content-type") ?? "json");
}

/** An encoded answer as protobuf-es has what it does not know, and writes out as it is: one field, without its tag. */
function asUnknown(answer: readonly Uint8Array[]): NonNullable<Message["$unknown"]> {
  if (answer.length === 0) return [];
  return [{ no: 1, wireType: WireType.LengthDelimited, data: Buffer.concat(answer).subarray(1) }];
}

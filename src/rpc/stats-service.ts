import { Code, ConnectError } from "@connectrpc/connect";
import type { CounterStore } from "../stats/counter-store.js";
import { createSlabMatcher } from "../stats/slab-matcher.js";
import type { OnlineUsers } from "../track/online-users.js";
import type { CallContext } from "./call-context.js";
import { assertMayReset } from "./caller.js";
import { readCounters, type TakeCounter } from "./read-counters.js";
import { createOnlineCalls, type OnlineCalls } from "./online-calls.js";
import { createRegexpCompiler } from "./regexp.js";
import { resetFor } from "./reset-for.js";
import { StatWriter } from "./stat-writer.js";
import type { SysStatsFigures, SysStatsSource } from "./sys-stats.js";

export interface StatsServiceOptions {
  readonly store: CounterStore;
  /** Who is online. Without it the calls about that are UNIMPLEMENTED. */
  readonly online?: OnlineUsers | undefined;
  readonly sysStats: SysStatsSource;
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

/**
 * The calls of the V2Ray API's StatsService, for whatever name it is served under, and of Xray's where there is somebody to
 * know who is online. No byte slips between reading a counter and resetting it: that is one synchronous step.
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
   * @throws ConnectError INVALID_ARGUMENT for a bad regular expression, PERMISSION_DENIED for a reset by who may not; then
   * nothing is reset.
   */
  queryStats(request: QueryRequest, context: CallContext): Promise<{ stat: Stat[] }>;
  /** The answer of {@link queryStats}, written out in protobuf's binary form, in pieces. */
  writeQueryStats(request: QueryRequest, context: CallContext): Promise<readonly Uint8Array[]>;
  getSysStats(): SysStatsFigures;
}

/** Implements the StatsService over a counter store. */
export function createStatsService({ store, online, sysStats }: StatsServiceOptions): StatsService {
  async function query(request: QueryRequest, context: CallContext, take: TakeCounter): Promise<void> {
    const { pattern, patterns, regexp, reset } = request;
    context.signal.throwIfAborted();
    if (reset) assertMayReset(context);
    const allPatterns = pattern === "" ? patterns : [pattern, ...patterns];
    const matcher = createSlabMatcher({ patterns: allPatterns, regexp }, createRegexpCompiler());
    await readCounters({ store, matcher, reset, context }, take);
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
      const stat: Stat[] = [];
      await query(request, context, (slab, place, value) => {
        stat.push({ name: slab.nameAt(place), value });
      });
      return { stat };
    },

    async writeQueryStats(request, context) {
      const writer = new StatWriter();
      await query(request, context, (slab, place, value) => {
        writer.add(slab, place, value);
      });
      return writer.finish();
    },

    getSysStats: () => sysStats.read(),
  };
}

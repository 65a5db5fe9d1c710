import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import type { CounterStore } from "../stats/counter-store.js";
import { createMatcher, type RegexpCompiler } from "../stats/matcher.js";
import type { OnlineUsers } from "../track/online-users.js";
import { assertMayReset } from "./caller.js";
import { createOnlineCalls, type OnlineCalls } from "./online-calls.js";
import { resetFor } from "./reset-for.js";
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
 * know who is online. Counters are read and reset in one synchronous step, so no
 * byte slips between reading a counter and resetting it, or between two counters of one answer.
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
   * @throws ConnectError INVALID_ARGUMENT for a bad regular expression, PERMISSION_DENIED for a reset by who may not; then
   * nothing is reset.
   */
  queryStats(request: QueryRequest, context: HandlerContext): Promise<{ stat: Stat[] }>;
  getSysStats(): SysStatsFigures;
}

/** Implements the StatsService over a counter store. */
export function createStatsService({ store, online, sysStats }: StatsServiceOptions): StatsService {
  return {
    ...(online && createOnlineCalls({ online, store })),

    getStats({ name, reset }, context) {
      context.signal.throwIfAborted();
      if (reset) assertMayReset(context);
      const counter = store.get(name);
      if (counter === undefined) throw new ConnectError(`${name} not found.`, Code.NotFound);
      return { stat: { name, value: reset ? resetFor(context, counter) : counter.value } };
    },

    async queryStats({ pattern, patterns, regexp, reset }, context) {
      context.signal.throwIfAborted();
      if (reset) assertMayReset(context);
      const allPatterns = pattern === "" ? patterns : [pattern, ...patterns];
      const compileRegexp = regexp ? await loadRegexpCompiler() : matchesNothing;
      // The caller may have gone meanwhile.
      context.signal.throwIfAborted();
      const matches = createMatcher({ patterns: allPatterns, regexp }, compileRegexp);
      return {
        stat: Array.from(store.query(matches), ({ name, counter }) => ({
          name,
          value: reset ? resetFor(context, counter) : counter.value,
        })),
      };
    },

    getSysStats: () => sysStats.read(),
  };
}

/** What compiles expressions is large, and few queries have any: a server starts without it. */
async function loadRegexpCompiler(): Promise<RegexpCompiler> {
  return (await import("./regexp.js")).createRegexpCompiler();
}

/** Stands where no pattern is an expression. */
function matchesNothing(): () => boolean {
  return () => false;
}

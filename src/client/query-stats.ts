import { Code, ConnectError } from "@connectrpc/connect";
import { createMatcher, type RegexpCompiler } from "../stats/matcher.js";
import { ClientError } from "./client-error.js";
import { mergeStats, type Stat } from "./merge-stats.js";
import type { Calls, StatsClient } from "./stats-client.js";

/** Which counters are read. */
export interface StatsQuery {
  /** A counter is meant when any of them matches its name. None of them, or an empty one among them, means every counter. */
  readonly patterns?: readonly string[];
  /** Whether the patterns are regular expressions, with RE2's syntax, instead of substrings. Default: `false`. */
  readonly regexp?: boolean;
  /** Whether what is read is set to zero. Default: `false`. */
  readonly reset?: boolean;
  /** Ends the reading early, as a call that fails does. Default: never. */
  readonly signal?: AbortSignal | undefined;
}

/** What a query has read. */
export interface StatsAnswer {
  /** Each counter once, in the order of the server's answers. */
  readonly stats: readonly Stat[];
  /**
   * What kept the rest from being read, where a reset had already taken something when a later call failed: its bytes are in
   * {@link StatsAnswer.stats} and nowhere else.
   */
  readonly failure?: ClientError;
}

/**
 * An expression that no server can compile: who knows expressions refuses it, and who does not takes it for a substring that
 * no counter has.
 */
const probe = "(?v2ray-api";

/**
 * Reads counters, in a way that every server of the family understands alike. Each pattern has a call of its own, in both
 * fields that there are for it: V2Ray 4 and Xray know `pattern` only, sing-box `patterns` only, and who is left with neither
 * reads, and resets, everything.
 *
 * Xray and V2Ray 4 cannot match expressions. There, everything is read and matched here; and nothing is reset.
 *
 * @throws ClientError if nothing was read.
 */
export async function queryStats(
  client: StatsClient,
  { patterns = [], regexp = false, reset = false, signal }: StatsQuery = {},
): Promise<StatsAnswer> {
  // A bad expression is known before anything is reset, by a good one or by an empty one, which means everything.
  const matches = regexp ? createMatcher({ patterns, regexp }, await loadRegexpCompiler()) : undefined;
  // V2Ray 5 never answers a list with an empty pattern, nor anything after it.
  const wanted = patterns.includes("") ? [] : [...new Set(patterns)];
  if (wanted.length === 0) {
    return client.call(
      async (calls) => ({ stats: mergeStats([await readAll(calls, reset)], reset) }),
      signal,
    );
  }
  const query = { patterns: wanted, regexp, reset };
  return client.call(async (calls) => {
    if (matches === undefined || (await knowsRegexps(calls))) return readEach(calls, query);
    if (reset) {
      throw new ClientError(
        "no_regexp",
        "it cannot match regular expressions, and nothing is reset without that",
      );
    }
    const stats = mergeStats([await readAll(calls, reset)], reset);
    return { stats: stats.filter(({ name }) => matches(name)) };
  }, signal);
}

async function readAll({ service, options }: Calls, reset: boolean): Promise<readonly Stat[]> {
  return (await service.queryStats({ reset }, options())).stat;
}

async function readEach(
  { service, options, explain }: Calls,
  { patterns, regexp, reset }: Required<Omit<StatsQuery, "signal">>,
): Promise<StatsAnswer> {
  const answers: (readonly Stat[])[] = [];
  for (const pattern of patterns) {
    try {
      const { stat } = await service.queryStats({ ...inBothFields(pattern), regexp, reset }, options());
      answers.push(stat);
    } catch (error) {
      if (!reset || answers.length === 0) throw error;
      return { stats: mergeStats(answers, reset), failure: await explain(error) };
    }
  }
  return { stats: mergeStats(answers, reset) };
}

function inBothFields(pattern: string) {
  return { pattern, patterns: [pattern] };
}

/** Whether the server matches expressions: it says so by refusing one that is none. */
async function knowsRegexps({ service, options }: Calls): Promise<boolean> {
  try {
    await service.queryStats({ ...inBothFields(probe), regexp: true }, options());
    return false;
  } catch (error) {
    const { code, metadata } = ConnectError.from(error);
    // sing-box and V2Ray give every error of theirs the code UNKNOWN.
    if ((code === Code.Unknown || code === Code.InvalidArgument) && metadata.has("grpc-status")) return true;
    throw error;
  }
}

/** The compiler is larger than all the rest, and seldom needed. */
async function loadRegexpCompiler(): Promise<RegexpCompiler> {
  return (await import("./regexp.js")).compileRegexp;
}

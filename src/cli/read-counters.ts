import { queryStats, type StatsAnswer, type StatsQuery } from "../client/query-stats.js";
import type { StatsClient } from "../client/stats-client.js";
import type { CommandProcess } from "./command.js";
import { endSignals, listenForStopSignals } from "./stop-signals.js";

/**
 * Reads counters. A signal that comes after some were reset ends the reading, and not the process, which is to print them:
 * they are nowhere else.
 *
 * @throws ClientError if nothing was read.
 */
export async function readCounters(
  client: StatsClient,
  query: StatsQuery,
  process: CommandProcess,
): Promise<StatsAnswer> {
  if (query.reset !== true) return queryStats(client, query);
  const interrupting = new AbortController();
  const signals = listenForStopSignals(process, endSignals);
  void signals.first.then(() => {
    interrupting.abort();
  });
  try {
    return await queryStats(client, { ...query, signal: interrupting.signal });
  } finally {
    signals.stopListening();
  }
}

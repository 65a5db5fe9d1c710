import { setTimeout as sleep } from "node:timers/promises";
import { unlessAborted } from "../net/unless-aborted.js";
import { ClientError } from "./client-error.js";
import { queryStats } from "./query-stats.js";
import type { StatsClient } from "./stats-client.js";
import type { Reading } from "./traffic-rates.js";

export interface ReadingsOptions {
  /** How long to wait between an answer and the next call. */
  readonly intervalMs: number;
  /** Ends the readings, even while a call is waiting for its answer. */
  readonly signal: AbortSignal;
  /** Told of a call that failed after another one had not; the next one is made all the same. Default: it ends them. */
  readonly onFailure?: (error: ClientError) => void;
}

/**
 * Reads all counters again and again, and resets none.
 *
 * @throws ClientError
 */
export async function* readings(
  client: StatsClient,
  { intervalMs, signal, onFailure }: ReadingsOptions,
): AsyncGenerator<Reading, void> {
  const isOver = (): boolean => signal.aborted;
  let hasRead = false;
  while (!isOver()) {
    try {
      const { stats } = await unlessAborted(queryStats(client), signal);
      hasRead = true;
      yield { atMs: performance.now(), stats };
    } catch (error) {
      if (isOver()) return;
      if (!(error instanceof ClientError) || !hasRead || onFailure === undefined) throw error;
      onFailure(error);
    }
    // The abort wakes it with an error, which says nothing more than the signal.
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
  }
}

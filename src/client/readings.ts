import { setTimeout as sleep } from "node:timers/promises";
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
  let hasRead = false;
  while (!signal.aborted) {
    try {
      const answer = await unlessAborted(queryStats(client), signal);
      if (answer === undefined) return;
      hasRead = true;
      yield { atMs: performance.now(), stats: answer.stats };
    } catch (error) {
      if (!(error instanceof ClientError) || !hasRead || onFailure === undefined) throw error;
      onFailure(error);
    }
    await unlessAborted(sleep(intervalMs, undefined, { signal }), signal);
  }
}

/** What the promise resolves with, or `undefined` as soon as the signal comes. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => {
      resolve(undefined);
    };
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Nobody asks any more.
    promise.catch(() => undefined);
  }
}

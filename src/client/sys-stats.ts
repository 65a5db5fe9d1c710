import type { StatsClient } from "./stats-client.js";

/** Figures of the serving process, under the names of the protocol. */
export interface SysStats {
  readonly NumGoroutine: number;
  readonly NumGC: number;
  readonly Alloc: bigint;
  readonly TotalAlloc: bigint;
  readonly Sys: bigint;
  readonly Mallocs: bigint;
  readonly Frees: bigint;
  readonly LiveObjects: bigint;
  readonly PauseTotalNs: bigint;
  /** In seconds. */
  readonly Uptime: number;
}

/**
 * Reads figures of the serving process.
 *
 * @throws ClientError
 */
export async function readSysStats(client: StatsClient): Promise<SysStats> {
  return client.call(async ({ service, options }) => service.getSysStats({}, options()));
}

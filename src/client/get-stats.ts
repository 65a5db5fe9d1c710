import type { Stat } from "./merge-stats.js";
import type { StatsClient } from "./stats-client.js";

/** Which counter is read. */
export interface StatRequest {
  readonly name: string;
  /** Whether it is set to zero. Default: `false`. */
  readonly reset?: boolean;
}

/**
 * Reads one counter.
 *
 * @throws ClientError `not_found` if there is none, whatever code the server has for that.
 */
export async function getStats(client: StatsClient, { name, reset = false }: StatRequest): Promise<Stat> {
  return client.call(async ({ service, options }) => {
    const { stat } = await service.getStats({ name, reset }, options());
    return { name: stat?.name ?? name, value: stat?.value ?? 0n };
  });
}

import type { Logger } from "../log/logger.js";
import { ConnectionLimits } from "../net/connection-limits.js";
import { defaultApiLimits, type ApiLimits } from "./api-limits.js";
import type { RefusalTally } from "./refusal-tally.js";

export interface ApiConnectionLimitsOptions {
  readonly limits: ApiLimits;
  /** Told of every connection that is not let in. */
  readonly refusals: RefusalTally;
  readonly logger: Logger;
}

/** Bounds the connections to an API, over all listeners that share it. */
export function createApiConnectionLimits({
  limits,
  refusals,
  logger,
}: ApiConnectionLimitsOptions): ConnectionLimits {
  const { maxConnections: maxCount, maxConnectionsPerSource: maxPerSource } = {
    ...defaultApiLimits,
    ...limits,
  };
  return new ConnectionLimits({
    ...{ maxCount, maxPerSource, logger },
    section: "experimental.v2ray_api.limits",
    onRefused: (by) => {
      refusals[by === "connections" ? "too_many_connections" : "too_many_connections_of_source"] += 1;
    },
  });
}

import type { Logger } from "../log/logger.js";
import { admitOthers, type IsOwnConnection } from "../net/admit-others.js";
import type { Admit } from "../net/connection-limits.js";
import { formatEndpoint } from "../net/endpoint.js";
import type { RefusalTally } from "./refusal-tally.js";

export interface OwnConnectionsOptions {
  /** Default: no connection is one. */
  readonly isOwnConnection: IsOwnConnection | undefined;
  /** Told of every one. */
  readonly refusals: RefusalTally;
  readonly logger: Logger;
}

/**
 * Lets in whom `admit` lets in, but for clients of our own proxy: they would come from this machine, where nobody else may be
 * meant to call. It warns of the first one.
 */
export function refuseOwnConnections(
  admit: Admit,
  { isOwnConnection, refusals, logger }: OwnConnectionsOptions,
): Admit {
  let hasWarned = false;
  return admitOthers(admit, {
    isOwnConnection,
    onOwnConnection: (source) => {
      refusals.own_connection += 1;
      const level = hasWarned ? "debug" : "warn";
      hasWarned = true;
      logger[level]("refusing clients of the proxy at the V2Ray API: allow_from_proxy is not set", {
        source: formatEndpoint(source),
      });
    },
  });
}

import type { Logger } from "../log/logger.js";
import { clientNetworkOf } from "../net/client-network.js";
import { ConnectionLimits, type Admit } from "../net/connection-limits.js";
import { resetConnection } from "../net/reset.js";
import { defaultApiLimits, type ApiLimits } from "./api-limits.js";
import type { RefusalTally } from "./refusal-tally.js";
import type { TrustedConnections } from "./trusted-connections.js";
import { UntrustedConnections } from "./untrusted-connections.js";

export interface ApiConnectionLimitsOptions {
  readonly limits: ApiLimits;
  /**
   * Knows which connections belong here, where not all do: at a limit, others are ended for those that come. Default: all
   * are alike, and who comes last is not let in.
   */
  readonly trusted?: TrustedConnections | undefined;
  /** Told of every connection that is not let in, or is ended for another. */
  readonly refusals: RefusalTally;
  readonly logger: Logger;
}

/** Bounds the connections to an API, over all listeners that share it. */
export function createApiConnectionLimits({
  limits,
  trusted,
  refusals,
  logger,
}: ApiConnectionLimitsOptions): {
  readonly admit: Admit;
} {
  const { maxConnections: maxCount, maxConnectionsPerSource: maxPerSource } = {
    ...defaultApiLimits,
    ...limits,
  };
  const untrusted = new UntrustedConnections();
  const limited = new ConnectionLimits({
    ...{ maxCount, maxPerSource, logger },
    section: "experimental.v2ray_api.limits",
    displaceOne: (source) => untrusted.endOne(source),
    onRefused: (by) => {
      refusals[by === "connections" ? "too_many_connections" : "too_many_connections_of_source"] += 1;
    },
  });
  if (trusted === undefined) return limited;
  const admit: Admit = (address, _ends, connection) => {
    const release = limited.admit(address);
    if (release === undefined) return undefined;
    const leave = untrusted.add(clientNetworkOf(address), () => {
      release();
      refusals.displaced_connection += 1;
      resetConnection(connection);
    });
    trusted.whenTrusted(connection, leave);
    return () => {
      leave();
      release();
    };
  };
  return { admit };
}

/** Lets in whom `admit` lets in, and trusts them all. */
export function admitTrusted(admit: Admit, trusted: TrustedConnections): Admit {
  return (address, ends, connection) => {
    const release = admit(address, ends, connection);
    trusted.trust(connection);
    return release;
  };
}

import type { LogFields } from "../log/logger.js";
import { formatEndpoint } from "../net/endpoint.js";
import type { ConnectionMetadata } from "../track/connection-tracker.js";

/** The facts of a connection as the fields of a log line. */
export function toLogFields(metadata: ConnectionMetadata): LogFields {
  const { inbound, user, network, outbound, rule } = metadata;
  const [source, destination] = [formatEndpoint(metadata.source), formatEndpoint(metadata.destination)];
  return { inbound, user, network, outbound, rule, source, destination };
}

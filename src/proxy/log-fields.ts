import type { LogFields } from "../log/logger.js";
import { formatEndpoint } from "../net/endpoint.js";
import type { ConnectionMetadata } from "../track/connection-tracker.js";

/** The facts of a connection as the fields of a log line. */
export function toLogFields({ source, destination, ...rest }: ConnectionMetadata): LogFields {
  return { ...rest, source: formatEndpoint(source), destination: formatEndpoint(destination) };
}

import type { Duplex } from "node:stream";
import type { Endpoint } from "../net/endpoint.js";

/** The facts of a routed connection. */
export interface ConnectionMetadata {
  /** Tag of the inbound that accepted it. */
  readonly inbound: string;
  /** Tag of the outbound that was chosen for it. */
  readonly outbound: string;
  /** Name under which the client authenticated; absent where nobody has to. */
  readonly user?: string | undefined;
  readonly network: "tcp" | "udp";
  readonly source: Endpoint;
  /** Where the client wants to go; a name is not resolved yet. */
  readonly destination: Endpoint;
  /** What chose the outbound, in words for a log line: a rule, or `final`. */
  readonly rule: string;
}

/**
 * Watches routed connections: client connections whose outbound is chosen and not yet dialled.
 *
 * A tracker returns the connection itself if it has no interest in it, otherwise a wrapper that stands in for it from
 * there on. Trackers chain: each is given what the one before returned.
 */
export interface ConnectionTracker {
  routedConnection<C extends Duplex>(connection: C, metadata: ConnectionMetadata): C;
}

/** Several trackers as one, in order. */
export function chainTrackers(trackers: readonly ConnectionTracker[]): ConnectionTracker {
  return {
    routedConnection: (connection, metadata) =>
      trackers.reduce((current, tracker) => tracker.routedConnection(current, metadata), connection),
  };
}

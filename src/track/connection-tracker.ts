import type { Duplex } from "node:stream";
import type { ConnectionSinks } from "../net/byte-sink.js";
import type { Endpoint } from "../net/endpoint.js";
import type { PacketConnection } from "../net/packet-connection.js";
import type { Network } from "./network.js";

/** The facts of a routed connection: a client's connection whose outbound is chosen. */
export interface ConnectionMetadata {
  /** Tag of the inbound that accepted it. */
  readonly inbound: string;
  /** Tag of the outbound that was chosen for it. */
  readonly outbound: string;
  /** Name under which the client authenticated; absent where nobody has to. */
  readonly user?: string | undefined;
  /** What it runs over: a stream of bytes (`tcp`) or packets (`udp`). */
  readonly network: Network;
  /** Where the client connects from. */
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
  /**
   * Called once for each connection, before any of its payload passes.
   *
   * @param connection - The client's side, behind any handshake: all that passes from here on is payload.
   * @returns the connection itself, or what stands in for it. From here on only that may be used.
   */
  routedConnection<C extends Duplex>(connection: C, metadata: ConnectionMetadata): C;
  /**
   * Called in place of {@link routedConnection} by whoever moves a connection's bytes and tells of them himself, which spares
   * both of them a wrapper. Default: there is none, and connections have to be wrapped.
   *
   * @returns who is to be told; nobody if the tracker has no interest.
   */
  routedSinks?(metadata: ConnectionMetadata): ConnectionSinks;
  /**
   * The same for the packets that a client exchanges by way of one outbound; the `destination` in their facts is where the
   * first of them goes.
   *
   * @param connection - Receives what the client sends, and where to; sends what comes back, and where from. Payload only.
   */
  routedPacketConnection(connection: PacketConnection, metadata: ConnectionMetadata): PacketConnection;
}

/**
 * Several trackers as one: the first wraps the connection itself, the last one is outermost. None at all is a tracker that
 * has no interest in anything.
 */
export function chainTrackers(trackers: readonly ConnectionTracker[]): ConnectionTracker {
  return {
    routedConnection: (connection, metadata) =>
      trackers.reduce((current, tracker) => tracker.routedConnection(current, metadata), connection),
    routedPacketConnection: (connection, metadata) =>
      trackers.reduce((current, tracker) => tracker.routedPacketConnection(current, metadata), connection),
  };
}

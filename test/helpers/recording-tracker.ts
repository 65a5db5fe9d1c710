import type { Duplex } from "node:stream";
import type { PacketConnection } from "../../src/net/packet-connection.js";
import type { ConnectionMetadata, ConnectionTracker } from "../../src/track/connection-tracker.js";

/** A tracker that notes what it is told, and returns connections as they are unless it is told otherwise. */
export class RecordingTracker implements ConnectionTracker {
  /** The facts of each connection, in order. */
  readonly told: ConnectionMetadata[] = [];
  readonly #track: (connection: PacketConnection) => PacketConnection;

  /** @param track - What becomes of a packet connection. */
  constructor(track: (connection: PacketConnection) => PacketConnection = (connection) => connection) {
    this.#track = track;
  }

  routedConnection<C extends Duplex>(connection: C, metadata: ConnectionMetadata): C {
    this.told.push(metadata);
    return connection;
  }

  routedPacketConnection(connection: PacketConnection, metadata: ConnectionMetadata): PacketConnection {
    this.told.push(metadata);
    return this.#track(connection);
  }
}

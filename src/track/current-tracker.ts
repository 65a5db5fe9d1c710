import type { Duplex } from "node:stream";
import type { PacketConnection } from "../net/packet-connection.js";
import type { ConnectionMetadata, ConnectionTracker } from "./connection-tracker.js";

/** A tracker that another one can take the place of, for the connections to come. */
export class CurrentTracker implements ConnectionTracker {
  #tracker: ConnectionTracker;

  constructor(tracker: ConnectionTracker) {
    this.#tracker = tracker;
  }

  /** From here on connections are shown to that one. Those that are open are left to whom they were shown. */
  replaceBy(tracker: ConnectionTracker): void {
    this.#tracker = tracker;
  }

  routedConnection<C extends Duplex>(connection: C, metadata: ConnectionMetadata): C {
    return this.#tracker.routedConnection(connection, metadata);
  }

  routedPacketConnection(connection: PacketConnection, metadata: ConnectionMetadata): PacketConnection {
    return this.#tracker.routedPacketConnection(connection, metadata);
  }
}

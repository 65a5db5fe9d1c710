import type { Duplex } from "node:stream";
import type { ConnectionSinks } from "../net/byte-sink.js";
import type { PacketConnection } from "../net/packet-connection.js";
import type { ConnectionMetadata, ConnectionTracker } from "./connection-tracker.js";

/** A tracker that says who is to be told of a connection's bytes. */
export type SinkTracker = Required<ConnectionTracker>;

/** A tracker that another one can take the place of, for the connections to come. */
export class CurrentTracker implements SinkTracker {
  #tracker: SinkTracker;

  constructor(tracker: SinkTracker) {
    this.#tracker = tracker;
  }

  /** From here on connections are shown to that one. Those that are open are left to whom they were shown. */
  replaceBy(tracker: SinkTracker): void {
    this.#tracker = tracker;
  }

  routedConnection<C extends Duplex>(connection: C, metadata: ConnectionMetadata): C {
    return this.#tracker.routedConnection(connection, metadata);
  }

  routedSinks(metadata: ConnectionMetadata): ConnectionSinks {
    return this.#tracker.routedSinks(metadata);
  }

  routedPacketConnection(connection: PacketConnection, metadata: ConnectionMetadata): PacketConnection {
    return this.#tracker.routedPacketConnection(connection, metadata);
  }
}

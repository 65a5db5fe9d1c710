import { addToAll, type ConnectionSinks } from "./byte-sink.js";
import type { Endpoint } from "./endpoint.js";
import type { PacketConnection, PacketReceiver, PacketSent } from "./packet-connection.js";

/**
 * Wraps a client's packet connection so that all its payload is counted: uplink when a packet was received from the
 * client, downlink when one was sent to it. What was dropped on its way to the client counts nothing.
 */
export function countPacketConnection(
  connection: PacketConnection,
  sinks: ConnectionSinks,
): PacketConnection {
  return new CountingPacketConnection(connection, sinks);
}

class CountingPacketConnection implements PacketConnection {
  readonly #inner: PacketConnection;
  readonly #sinks: ConnectionSinks;

  constructor(inner: PacketConnection, sinks: ConnectionSinks) {
    this.#inner = inner;
    this.#sinks = sinks;
  }

  get closed(): Promise<void> {
    return this.#inner.closed;
  }

  receive(onPacket: PacketReceiver): void {
    const { uplink } = this.#sinks;
    this.#inner.receive((payload, endpoint) => {
      addToAll(uplink, payload.length);
      onPacket(payload, endpoint);
    });
  }

  send(payload: Buffer, endpoint: Endpoint, onSent?: PacketSent): void {
    const { downlink } = this.#sinks;
    this.#inner.send(payload, endpoint, (error) => {
      if (error === undefined) addToAll(downlink, payload.length);
      onSent?.(error);
    });
  }

  close(): void {
    this.#inner.close();
  }
}

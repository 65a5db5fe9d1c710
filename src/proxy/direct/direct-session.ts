import type { DatagramSocket } from "../../net/datagram-socket.js";
import type { Endpoint } from "../../net/endpoint.js";
import { IdleTimer } from "../../net/idle-timer.js";
import type { PacketConnection, PacketReceiver, PacketSent } from "../../net/packet-connection.js";

export interface DirectSessionOptions {
  /** The inbound's, which all its clients share. */
  readonly socket: DatagramSocket;
  readonly client: Endpoint;
  /** Where everything that the client sends is to go. */
  readonly destination: Endpoint;
  /** After how long without a packet the session ends, in milliseconds. */
  readonly idleTimeoutMs: number;
}

/** The packets of one client of a `direct` inbound. Nothing says that the client is gone but its silence. */
export class DirectSession implements PacketConnection {
  readonly closed: Promise<void>;
  readonly #socket: DatagramSocket;
  readonly #client: Endpoint;
  readonly #destination: Endpoint;
  readonly #idle: IdleTimer;
  #onPacket: PacketReceiver | undefined;
  #end: () => void = () => undefined;

  constructor({ socket, client, destination, idleTimeoutMs }: DirectSessionOptions) {
    this.#socket = socket;
    this.#client = client;
    this.#destination = destination;
    this.closed = new Promise((resolve) => (this.#end = resolve));
    this.#idle = new IdleTimer(idleTimeoutMs, () => {
      this.close();
    });
  }

  /** Takes a datagram of the client's. */
  deliver(datagram: Buffer): void {
    this.#idle.touch();
    this.#onPacket?.(datagram, this.#destination);
  }

  receive(onPacket: PacketReceiver): void {
    this.#onPacket = onPacket;
  }

  /** To the client all answers come from the inbound, wherever they come from. */
  send(payload: Buffer, _from: Endpoint, onSent: PacketSent = ignore): void {
    this.#idle.touch();
    this.#socket.send(payload, this.#client, onSent);
  }

  close(): void {
    this.#idle.stop();
    this.#end();
  }
}

function ignore(): void {
  // Nobody wants to know.
}

import type { Endpoint } from "../net/endpoint.js";
import type { PacketConnection, PacketReceiver, PacketSent } from "../net/packet-connection.js";
import { PacketQueue } from "../net/packet-queue.js";

/**
 * A client's packet connection as one outbound sees it: what leaves through that outbound, and all that is to go back to
 * the client. Whoever made it ends it with the client's connection; it may end before, which leaves the client's alone.
 */
export class PacketBranch implements PacketConnection {
  readonly closed: Promise<void>;
  readonly #client: PacketConnection;
  readonly #queue = new PacketQueue();
  #end: () => void = () => undefined;

  constructor(client: PacketConnection) {
    this.#client = client;
    this.closed = new Promise((resolve) => (this.#end = resolve));
  }

  /** Takes a packet of the client's. @returns whether there was room for it, until somebody receives it. */
  deliver(payload: Buffer, destination: Endpoint): boolean {
    return this.#queue.push(payload, destination);
  }

  receive(onPacket: PacketReceiver): void {
    this.#queue.drainTo(onPacket);
  }

  send(payload: Buffer, endpoint: Endpoint, onSent?: PacketSent): void {
    this.#client.send(payload, endpoint, onSent);
  }

  close(): void {
    this.#end();
  }
}

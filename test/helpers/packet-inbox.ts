import { EventEmitter, once } from "node:events";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { PacketConnection } from "../../src/net/packet-connection.js";
import type { TestPacket } from "./memory-packets.js";

/** Receives from a packet connection, and keeps what has come until a test asks for it. */
export class PacketInbox {
  readonly #kept: TestPacket[] = [];
  readonly #arrivals = new EventEmitter();

  constructor(connection: PacketConnection) {
    connection.receive((payload, endpoint) => {
      this.#kept.push({ payload, endpoint });
      this.#arrivals.emit("arrival");
    });
  }

  /** How many packets have come that nobody has asked for yet. */
  get waitingCount(): number {
    return this.#kept.length;
  }

  /** The next packet, and its other end. The test's own timeout bounds the wait. */
  async next(): Promise<TestPacket> {
    for (;;) {
      const packet = this.#kept.shift();
      if (packet !== undefined) return packet;
      await once(this.#arrivals, "arrival");
    }
  }

  /** The payload of the next packet as text, and its other end: short enough to be compared. */
  async nextText(): Promise<readonly [text: string, endpoint: Endpoint]> {
    const { payload, endpoint } = await this.next();
    return [payload.toString(), endpoint];
  }
}

/** Sends a packet; with what became of it: the reason why it was dropped, or `undefined`. */
export async function sendPacket(
  connection: PacketConnection,
  payload: Buffer | string,
  to: Endpoint,
): Promise<Error | undefined> {
  return new Promise((resolve) => {
    connection.send(Buffer.from(payload), to, resolve);
  });
}

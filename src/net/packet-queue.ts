import type { Endpoint } from "./endpoint.js";
import type { PacketReceiver } from "./packet-connection.js";

/** How many packets may wait: as many as a client sends in a burst before it hears anything. */
const maxCount = 256;
/** How many bytes of them. */
const maxBytes = 1024 * 1024;

/** Keeps the packets that arrive before there is somebody to take them, in order, and a bounded number of them. */
export class PacketQueue {
  #waiting: { readonly payload: Buffer; readonly endpoint: Endpoint }[] = [];
  #waitingBytes = 0;
  #onPacket: PacketReceiver | undefined;

  /** Hands a packet over, or keeps it. @returns whether it did: when the queue is full the packet is dropped. */
  push(payload: Buffer, endpoint: Endpoint): boolean {
    if (this.#onPacket !== undefined) {
      this.#onPacket(payload, endpoint);
      return true;
    }
    if (this.#waiting.length >= maxCount || this.#waitingBytes + payload.length > maxBytes) return false;
    this.#waiting.push({ payload, endpoint });
    this.#waitingBytes += payload.length;
    return true;
  }

  /** Hands over what waits, and from now on each packet as it comes. One that comes meanwhile waits for its turn. */
  drainTo(onPacket: PacketReceiver): void {
    for (let packet = this.#waiting.shift(); packet !== undefined; packet = this.#waiting.shift()) {
      this.#waitingBytes -= packet.payload.length;
      onPacket(packet.payload, packet.endpoint);
    }
    this.#onPacket = onPacket;
  }
}

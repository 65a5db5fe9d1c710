import assert from "node:assert/strict";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { PacketConnection, PacketReceiver, PacketSent } from "../../src/net/packet-connection.js";

/** A packet and its other end. */
export interface TestPacket {
  readonly payload: Buffer;
  readonly endpoint: Endpoint;
}

/** A packet connection without a network: a test delivers what arrives, and sees what was sent. */
export class MemoryPackets implements PacketConnection {
  readonly sent: TestPacket[] = [];
  readonly closed: Promise<void>;
  /** What becomes of each packet that is sent: the reason why it is dropped, or `undefined`. */
  failure: Error | undefined;
  #onPacket: PacketReceiver | undefined;
  #onSent: (() => void) | undefined;
  #end: () => void = () => undefined;

  constructor() {
    this.closed = new Promise((resolve) => (this.#end = resolve));
  }

  /** Whether somebody receives what is delivered. */
  get isReceived(): boolean {
    return this.#onPacket !== undefined;
  }

  receive(onPacket: PacketReceiver): void {
    assert.equal(this.#onPacket, undefined, "it is received twice");
    this.#onPacket = onPacket;
  }

  /** Lets a packet arrive. */
  deliver(payload: Buffer | string, endpoint: Endpoint): void {
    assert.ok(this.#onPacket !== undefined, "nobody receives it");
    this.#onPacket(Buffer.from(payload), endpoint);
  }

  send(payload: Buffer, endpoint: Endpoint, onSent?: PacketSent): void {
    if (this.failure === undefined) this.sent.push({ payload, endpoint });
    onSent?.(this.failure);
    this.#onSent?.();
  }

  /** Resolves when that many packets have been sent. */
  async sentCount(count: number): Promise<void> {
    while (this.sent.length < count) await new Promise<void>((resolve) => (this.#onSent = resolve));
  }

  close(): void {
    this.#end();
  }
}

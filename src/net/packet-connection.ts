import type { Endpoint } from "./endpoint.js";

/**
 * Takes a packet that arrived.
 *
 * @param payload - The receiver's to keep. It may be empty.
 * @param endpoint - The other end of it: on a client's connection where the client wants it to go, on an outbound's where
 *   it comes from.
 */
export type PacketReceiver = (payload: Buffer, endpoint: Endpoint) => void;

/** Is told what became of a packet: taken by the operating system, or dropped for the reason given. */
export type PacketSent = (error?: Error) => void;

/**
 * Carries packets, each whole or not at all, between one side (a client, or what lies behind an outbound) and any number
 * of endpoints. What a stream is to TCP, this is to UDP.
 */
export interface PacketConnection {
  /** Resolves when it is over, whoever ended it. It never rejects. */
  readonly closed: Promise<void>;
  /** Hands each packet that arrives over, from now on until the end. To be called once; it must not throw. */
  receive(onPacket: PacketReceiver): void;
  /** Sends a packet. What cannot be sent is dropped, as packets are, and `onSent` is told; it never throws. */
  send(payload: Buffer, endpoint: Endpoint, onSent?: PacketSent): void;
  /** Ends it at once. Safe to call twice. */
  close(): void;
}

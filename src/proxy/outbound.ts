import type { Duplex } from "node:stream";
import type { Endpoint } from "../net/endpoint.js";
import type { PacketConnection } from "../net/packet-connection.js";

/** A connection that an outbound opened. */
export interface OutboundConnection {
  readonly connection: Duplex;
  /** The local end of it, which some protocols tell the client. */
  readonly boundTo: Endpoint;
}

export interface OutboundDialOptions {
  /** Gives up when the client is gone. */
  readonly signal?: AbortSignal;
}

/** Where connections leave. One that carries packets, too, is a {@link PacketOutbound}. */
export interface DialingOutbound {
  readonly tag: string;
  readonly blocks: false;
  /**
   * Reads what it needs before its first connection. Absent where that is nothing.
   *
   * @throws Error that says what is missing.
   */
  start?(): Promise<void>;
  /** @throws DialError */
  dial(destination: Endpoint, options?: OutboundDialOptions): Promise<OutboundConnection>;
}

/** An outbound for UDP as well as for TCP. */
export interface PacketOutbound extends DialingOutbound {
  /**
   * Opens a way for packets to any number of destinations.
   *
   * @throws DialError
   */
  dialPackets(options?: OutboundDialOptions): Promise<PacketConnection>;
}

/** Whether packets can leave there. */
export function carriesPackets(outbound: DialingOutbound): outbound is PacketOutbound {
  return "dialPackets" in outbound;
}

/** Where connections end: their clients are told so, and they are neither dialled nor tracked. */
export interface BlockOutbound {
  readonly tag: string;
  readonly blocks: true;
}

export type Outbound = DialingOutbound | BlockOutbound;

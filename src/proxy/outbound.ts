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

/** What outbounds have in common that carry anything. */
interface CarryingOutbound {
  readonly tag: string;
  readonly blocks: false;
  /**
   * Reads what it needs before its first connection. Absent where that is nothing.
   *
   * @throws Error that says what is missing.
   */
  start?(): Promise<void>;
}

/** An outbound for TCP. */
export interface DialingOutbound extends CarryingOutbound {
  /** @throws DialError */
  dial(destination: Endpoint, options?: OutboundDialOptions): Promise<OutboundConnection>;
}

/** An outbound for UDP. */
export interface PacketOutbound extends CarryingOutbound {
  /**
   * Opens a way for packets to any number of destinations.
   *
   * @throws DialError
   */
  dialPackets(options?: OutboundDialOptions): Promise<PacketConnection>;
}

/** Whether connections can leave there; where they cannot, they are treated as blocked. */
export function carriesConnections(outbound: Outbound): outbound is DialingOutbound {
  return "dial" in outbound;
}

/** Whether packets can leave there. */
export function carriesPackets(outbound: Outbound): outbound is PacketOutbound {
  return "dialPackets" in outbound;
}

/** Where connections end: their clients are told so, and they are neither dialled nor tracked. */
export interface BlockOutbound {
  readonly tag: string;
  readonly blocks: true;
}

export type Outbound = DialingOutbound | PacketOutbound | BlockOutbound;

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

/** Where connections leave. */
export interface DialingOutbound {
  readonly tag: string;
  readonly blocks: false;
  /** @throws DialError */
  dial(destination: Endpoint, options?: OutboundDialOptions): Promise<OutboundConnection>;
  /**
   * Opens a way for packets to any number of destinations. Absent where the outbound carries TCP only.
   *
   * @throws DialError
   */
  dialPackets?(options?: OutboundDialOptions): Promise<PacketConnection>;
}

/** Where connections end: their clients are told so, and they are neither dialled nor tracked. */
export interface BlockOutbound {
  readonly tag: string;
  readonly blocks: true;
}

export type Outbound = DialingOutbound | BlockOutbound;

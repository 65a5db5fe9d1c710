import type { Duplex } from "node:stream";
import type { Endpoint } from "../net/endpoint.js";

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
export interface Outbound {
  readonly tag: string;
  /** The type's name in the config. */
  readonly type: string;
  /** @throws DialError */
  dial(destination: Endpoint, options?: OutboundDialOptions): Promise<OutboundConnection>;
}

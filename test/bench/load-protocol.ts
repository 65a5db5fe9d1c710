import type { Endpoint } from "../../src/net/endpoint.js";

/** A way to the origin: through a proxy, or without one, to see what the load by itself can do. */
export interface Way {
  /** A SOCKS5 server, with the login that it wants. Default: none, the origin is dialled itself. */
  readonly proxy?: Endpoint | undefined;
  readonly origin: Endpoint;
}

/** Who everybody logs in as. */
export const login = { username: "alice", password: "bench" };

/** Transfers over connections of their own. Each is over when the last byte down has come: there has to be one. */
export interface TransferLoad {
  readonly kind: "transfers";
  readonly count: number;
  /** How many of them run at the same time. */
  readonly parallel: number;
  readonly upBytes: number;
  readonly downBytes: number;
}

/** Packets to the origin and back, over one association. */
export interface PacketLoad {
  readonly kind: "packets";
  readonly count: number;
  /** How many of them are on their way at the same time. */
  readonly window: number;
  readonly payloadBytes: number;
}

/** Connections that are opened, move a byte each way, and then stay. */
export interface IdleLoad {
  readonly kind: "idle";
  readonly count: number;
}

export type Load = TransferLoad | PacketLoad | IdleLoad;

export type LoadQuestion = (Load & { readonly way: Way }) | { readonly kind: "release" };

/** What a client has seen of its load. */
export interface LoadAnswer {
  readonly wallMs: number;
  /** Packets that have not come back. */
  readonly lostCount: number;
}

/** The first bytes of a connection tell the origin how many it is to take after them, and then to give. */
export const loadHeadBytes = 16;

export function formatLoadHead(upBytes: number, downBytes: number): Buffer {
  const head = Buffer.alloc(loadHeadBytes);
  head.writeBigUInt64BE(BigInt(upBytes), 0);
  head.writeBigUInt64BE(BigInt(downBytes), 8);
  return head;
}

export function parseLoadHead(head: Buffer): { readonly upBytes: number; readonly downBytes: number } {
  return { upBytes: Number(head.readBigUInt64BE(0)), downBytes: Number(head.readBigUInt64BE(8)) };
}

import type { Endpoint } from "../../src/net/endpoint.js";
import type { Call } from "./grpc-caller.js";

/** What a load is put on. Without any of it the origin has it, to see what the load by itself can do. */
export interface Target {
  /** A SOCKS5 server, with the login that it wants. */
  readonly proxy?: Endpoint | undefined;
  /** A server of the StatsService. */
  readonly api?: Endpoint | undefined;
}

/** A way to the origin, through a proxy or without one. */
export interface Way extends Target {
  readonly origin: Endpoint;
}

/** Where the origin's process listens. */
export interface OriginAddresses {
  readonly origin: Endpoint;
  /** Where calls are answered by nobody in particular. */
  readonly responder: Endpoint;
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

/** Calls over connections that each have so many under way at the same time. */
export interface CallLoad extends Call {
  readonly kind: "calls";
  readonly count: number;
  readonly connections: number;
  readonly streams: number;
}

/** Connections of the API that are answered a call each, and then stay. */
export interface IdleCallLoad extends Call {
  readonly kind: "idle-calls";
  readonly count: number;
}

/** What goes on in a server beside large queries: traffic, echoes, new connections and small calls. */
export interface BesideLoad {
  readonly kind: "beside";
  readonly ms: number;
  readonly small: Call;
  readonly large: Call;
  /** How often the large one is called, the first time right away. Default: never. */
  readonly largeEveryMs?: number | undefined;
}

export type Load = TransferLoad | PacketLoad | IdleLoad | CallLoad | IdleCallLoad | BesideLoad;

export type LoadQuestion = (Load & { readonly way: Way }) | { readonly kind: "release" };

/** What a client has seen of its load. */
export interface LoadAnswer {
  readonly wallMs: number;
  /** Processor time of the client itself. */
  readonly cpuMs: number;
  /** Packets that have not come back. */
  readonly lostCount: number;
  /** How long each thing took beside queries, in milliseconds; nothing of what the target does not have. */
  readonly tookMs?: BesideTimes | undefined;
}

export interface BesideTimes {
  readonly echoes: readonly number[];
  readonly connections: readonly number[];
  readonly calls: readonly number[];
}

/** So many bytes to give mean those that come. */
export const echoBytes = Number.MAX_SAFE_INTEGER;

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

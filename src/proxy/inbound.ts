import type { Duplex } from "node:stream";
import type { Endpoint } from "../net/endpoint.js";
import type { PacketConnection } from "../net/packet-connection.js";
import type { Rejection } from "./rejection.js";
import type { User } from "./users.js";

/** Where connections enter: a listener that speaks one or more proxy protocols. */
export interface Inbound {
  readonly tag: string;
  /** The type's name in the config. */
  readonly type: string;
  /**
   * Starts to accept.
   *
   * @returns where it listens.
   * @throws ListenError
   */
  start(): Promise<Endpoint>;
  /** Stops to accept, lets relayed connections end, and destroys those still open when `cut` aborts. */
  stop(cut: AbortSignal): Promise<void>;
  /**
   * Puts other users into the place of those who may use it. Who is in already stays; who is about to log in has to be one
   * of the new ones. Absent where nobody logs in.
   */
  replaceUsers?(users: readonly User[]): void;
  /** Stops at once. Safe to call twice. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A client's wish for a connection: its handshake is read and its login is right, but it has no answer yet. What it sent
 * beyond the handshake is still to be read from `client`.
 */
export interface ProxyRequest {
  /** Tag of the inbound that accepted it. */
  readonly inbound: string;
  readonly client: Duplex;
  /** Name under which the client authenticated; absent where nobody has to. */
  readonly user?: string | undefined;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  /** Tells the client that its connection stands. From here on the client's bytes are payload. */
  accept(boundTo: Endpoint): void;
  /** Tells the client, in its protocol's words, why there is no connection, and closes. */
  reject(rejection: Rejection): void;
  /**
   * Ends the client's connection at once, where `client` is not all of it: a client of plain HTTP would not notice the end of
   * what is only a connection to an origin, and might send its request again. Default: `client` is reset.
   */
  readonly cut?: () => void;
}

/** Takes over a request and its client socket. It never rejects. */
export type RequestHandler = (request: ProxyRequest) => Promise<void>;

/** A client that sends packets. Where each of them is to go is known only when it comes. */
export interface PacketRequest {
  /** Tag of the inbound that accepted it. */
  readonly inbound: string;
  /** Receives what the client sends, and where to; sends what came back, and where from. */
  readonly client: PacketConnection;
  /** Name under which the client authenticated; absent where nobody has to. */
  readonly user?: string | undefined;
  readonly source: Endpoint;
}

/** Takes over a client's packets. It never rejects. */
export type PacketHandler = (request: PacketRequest) => Promise<void>;

import { createServer as createHttp1Server, type Server as Http1Server } from "node:http";
import {
  createServer as createHttp2Server,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { silentLogger, type Logger } from "../log/logger.js";
import { readParsed } from "../net/byte-reader.js";
import type { Endpoint } from "../net/endpoint.js";
import { TcpListener } from "../net/tcp-listener.js";
import { freeCallerAfter } from "./early-answer.js";
import { parseHttpVersion } from "./http-preface.js";
import { watchSession, type SessionTimeouts } from "./http2-session-watch.js";
import type { NodeHandler, NodeRequest, NodeResponse } from "./node-http.js";

export interface OnePortServerOptions extends Partial<SessionTimeouts> {
  readonly onRequest: NodeHandler;
  /**
   * Shown each stream of HTTP/2 before a request is made of it, which takes long, unless its client waits for a `100
   * Continue`. It may take it, and must not throw. A stream that it takes, and then does not want, goes on as a request by
   * `handOver`. Default: takes none.
   *
   * @returns whether it has taken it.
   */
  readonly onStream?: StreamTaker;
  /** How long a connection may take to show whether it is HTTP/2, in milliseconds. Default: 10,000. */
  readonly sniffTimeoutMs?: number;
  /**
   * How long a connection may take from there to its first complete request, in milliseconds, and in HTTP/1.1 to each.
   * Default: 45,000.
   */
  readonly firstRequestTimeoutMs?: number;
  /** How long an HTTP/1.1 connection is kept between two requests, in milliseconds. Default: 75,000. */
  readonly http1IdleTimeoutMs?: number;
  /** How long an idle HTTP/2 connection is kept once it has served a call, in milliseconds. Default: 600,000. */
  readonly http2IdleTimeoutMs?: number;
  /**
   * How often an HTTP/2 connection is asked whether its client is still there, in milliseconds. One that is gone is cut
   * the second time. Default: 60,000.
   */
  readonly http2PingIntervalMs?: number;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** @returns whether it takes the stream. */
export type StreamTaker = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  handOver: () => void,
) => boolean;

/** Streams that one HTTP/2 connection may have open: the busiest panels use a few dozen. */
const maxConcurrentStreams = 128;
/** Megabytes that one HTTP/2 connection may hold; Node refuses streams beyond it, and 10 are too few for large answers. */
const maxSessionMemory = 64;
/** How often HTTP/1.1 connections are checked for their timeouts: short enough to keep them within a minute in all. */
const checkingIntervalMs = 4_000;

/**
 * HTTP/1.1 and HTTP/2 with prior knowledge on one cleartext port, told apart by the first bytes of each connection.
 * (Node's HTTP/2 server takes HTTP/1.1 only under TLS.)
 *
 * States of a connection: undecided → http1 or http2. A connection that says nothing, or half a preface, stays undecided
 * and is cut after `sniffTimeoutMs`.
 */
export class OnePortServer {
  readonly #listener: TcpListener;
  readonly #http1: Http1Server;
  readonly #http2: Http2Server;
  readonly #onRequest: NodeHandler;
  readonly #sniffTimeoutMs: number;
  readonly #sessionTimeouts: SessionTimeouts;
  readonly #logger: Logger;
  /** Connections that run no call: undecided ones, and HTTP/1.1 ones before and between their requests. */
  readonly #waiting = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #stopping = false;

  constructor({
    onRequest,
    onStream = takesNone,
    sniffTimeoutMs = 10_000,
    firstRequestTimeoutMs = 45_000,
    http1IdleTimeoutMs = 75_000,
    http2IdleTimeoutMs = 600_000,
    http2PingIntervalMs = 60_000,
    logger = silentLogger,
  }: OnePortServerOptions) {
    this.#onRequest = onRequest;
    this.#sniffTimeoutMs = sniffTimeoutMs;
    this.#logger = logger;
    this.#listener = new TcpListener({ onConnection: (socket) => void this.#serve(socket), logger });
    this.#http1 = createHttp1Server(
      {
        headersTimeout: firstRequestTimeoutMs,
        requestTimeout: firstRequestTimeoutMs,
        keepAliveTimeout: http1IdleTimeoutMs,
        connectionsCheckingInterval: Math.min(checkingIntervalMs, firstRequestTimeoutMs),
      },
      this.#onHttpRequest,
    );
    // A server that never listened does not watch its timeouts before it is told that it does.
    this.#http1.emit("listening");
    this.#http2 = createHttp2Server({ settings: { maxConcurrentStreams }, maxSessionMemory });
    // It has no connections of its own: it makes requests of the streams that it is shown.
    const requests = createHttp2Server(this.#onHttpRequest);
    this.#http2.on("stream", (stream, headers, ...details) => {
      const handOver = (): void => {
        requests.emit("stream", stream, headers, ...details);
      };
      // Whoever waits to be told to go on is told so when a request is made of it.
      const isWaiting = headers.expect !== undefined;
      if (isWaiting || !onStream(stream, headers, handOver)) handOver();
    });
    this.#sessionTimeouts = { firstRequestTimeoutMs, http2IdleTimeoutMs, http2PingIntervalMs };
  }

  /** How many connections are open. */
  get connectionCount(): number {
    return this.#listener.connectionCount;
  }

  /**
   * Starts to accept.
   *
   * @returns where it listens.
   * @throws ListenError
   */
  async listen(endpoint: Endpoint): Promise<Endpoint> {
    return this.#listener.listen(endpoint);
  }

  /** Stops to accept, lets running calls end, and destroys the connections still open when `cut` aborts. */
  async stop(cut: AbortSignal): Promise<void> {
    this.#stopping = true;
    const stopped = this.#listener.stop(cut);
    for (const socket of this.#waiting) socket.destroy();
    for (const session of this.#sessions) session.close();
    this.#http1.close();
    await stopped;
  }

  /** Stops at once. Safe to call twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(AbortSignal.abort());
  }

  /** Never rejects. */
  async #serve(socket: Socket): Promise<void> {
    this.#waiting.add(socket);
    socket.once("close", () => this.#waiting.delete(socket));
    try {
      const version = await readParsed(socket, parseHttpVersion, { timeoutMs: this.#sniffTimeoutMs });
      if (version === "http2") {
        this.#waiting.delete(socket);
        // A client's FIN ends an HTTP/2 connection. Node leaves that to the socket, and would keep the session for ever.
        socket.allowHalfOpen = false;
        this.#http2.once("session", (session) => {
          this.#adopt(session, socket);
        });
        this.#http2.emit("connection", socket);
      } else {
        this.#http1.emit("connection", socket);
      }
    } catch (error) {
      this.#logger.debug("connection without a request", { error: String(error) });
      socket.destroy();
    }
  }

  #adopt(session: ServerHttp2Session, socket: Socket): void {
    this.#sessions.add(session);
    session.on("error", (error: Error) => {
      this.#logger.debug("HTTP/2 session failed", { error: error.message });
    });
    session.once("close", () => this.#sessions.delete(session));
    watchSession(session, socket, this.#sessionTimeouts);
  }

  readonly #onHttpRequest = (request: NodeRequest, response: NodeResponse): void => {
    if (!("stream" in request)) this.#watchHttp1(request.socket, response);
    freeCallerAfter(request, response);
    try {
      this.#onRequest(request, response);
    } catch (error) {
      this.#logger.error("request failed", { error: String(error) });
      response.destroy();
    }
  };

  #watchHttp1(socket: Socket, response: NodeResponse): void {
    this.#waiting.delete(socket);
    if (this.#stopping) response.setHeader("connection", "close");
    response.once("close", () => {
      // An answer that began before the stop has promised to keep its connection.
      if (this.#stopping) socket.destroySoon();
      else if (!socket.destroyed) this.#waiting.add(socket);
    });
  }
}

function takesNone(): boolean {
  return false;
}

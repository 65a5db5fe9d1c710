import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { silentLogger, type Logger } from "../log/logger.js";
import { readParsed, ReadError } from "../net/byte-reader.js";
import { clientNetworkOf } from "../net/client-network.js";
import type { Admit } from "../net/connection-limits.js";
import type { Endpoint } from "../net/endpoint.js";
import type { UnixAddress } from "../net/listen-address.js";
import { errorCodeOf } from "../net/system-error.js";
import { TcpListener } from "../net/tcp-listener.js";
import { createApiConnectionLimits } from "./api-connection-limits.js";
import { defaultApiLimits, type ApiLimits } from "./api-limits.js";
import { assertAnnounced } from "./announced.js";
import { destroyLate } from "./late-destroy.js";
import { freeCallerAfter } from "./early-answer.js";
import { limitHeads, limitStreamHeads } from "./head-limit.js";
import { Http1Server } from "./http1-server.js";
import { parseHttpVersion } from "./http-preface.js";
import { Http2Door } from "./http2-door.js";
import { watchSession, type SessionTimeouts } from "./http2-session-watch.js";
import { carrierOf, type NodeHandler, type NodeRequest, type NodeResponse } from "./node-http.js";
import { createRefusalTally, type RefusalTally } from "./refusal-tally.js";
import { cutSlowReaders, type SlowReaderOptions } from "./slow-reader.js";
import { showStreams, takesNone, type StreamTaker } from "./stream-taker.js";
import { TrustedConnections } from "./trusted-connections.js";

/** How long connections may take, in milliseconds. */
export interface ConnectionTimeouts extends Partial<SessionTimeouts> {
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
}

export interface OnePortServerOptions extends ConnectionTimeouts {
  readonly onRequest: NodeHandler;
  /**
   * Shown each stream of HTTP/2 before a request is made of it, which takes long, unless its client waits for a `100
   * Continue`. Default: takes none.
   */
  readonly onStream?: StreamTaker;
  /** Speaks TLS on an accepted connection; it rejects if that does not come about in time. Default: cleartext. */
  readonly secure?: ((socket: Socket) => Promise<TLSSocket>) | undefined;
  /** Lets connections in; whoever counts over several servers hands each the same. Default: one of its own, by `limits`. */
  readonly admit?: Admit;
  /** Told what is spoken on which connection. Default: one that nobody asks. */
  readonly trusted?: TrustedConnections;
  /** What connections, heads and answers may come to. Default: that of {@link ApiLimits}. */
  readonly limits?: ApiLimits;
  /** Told of what is refused, and of connections that are cut. Default: one that nobody reads. */
  readonly refusals?: RefusalTally;
  /** Default: silent. */
  readonly logger?: Logger;
}

/**
 * Node itself cuts off or resets what has a head this many times larger than it may be: what is not so large is refused in
 * the caller's own protocol.
 */
const hardHeaderFactor = 2;
/** Megabytes that one HTTP/2 connection may hold; Node refuses streams beyond it, and 10 are too few for large answers. */
const maxSessionMemory = 64;

/**
 * HTTP/1.1 and HTTP/2 on one port, told apart by the first bytes of each connection, in cleartext as under TLS. (Node's
 * HTTP/2 server takes HTTP/1.1 only under TLS, and knows no port that speaks both without.)
 *
 * States of a connection: (handshake →) undecided → http1 or http2. A connection that says nothing, or half a preface,
 * stays undecided and is cut after `sniffTimeoutMs`.
 */
export class OnePortServer {
  readonly #listener: TcpListener;
  readonly #http1: Http1Server;
  readonly #http2: Http2Server;
  readonly #onRequest: NodeHandler;
  readonly #slowReaders: SlowReaderOptions;
  readonly #secure: ((socket: Socket) => Promise<TLSSocket>) | undefined;
  readonly #limits: Required<ApiLimits>;
  readonly #refusals: RefusalTally;
  readonly #door: Http2Door;
  readonly #trusted: TrustedConnections;
  readonly #sniffTimeoutMs: number;
  readonly #sessionTimeouts: SessionTimeouts;
  readonly #logger: Logger;
  /** Connections in their handshake, and undecided ones. */
  readonly #undecided = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor({
    onRequest,
    onStream = takesNone,
    secure,
    sniffTimeoutMs = 10_000,
    firstRequestTimeoutMs = 45_000,
    http1IdleTimeoutMs = 75_000,
    http2IdleTimeoutMs = 600_000,
    http2PingIntervalMs = 60_000,
    limits = {},
    refusals = createRefusalTally(),
    trusted = new TrustedConnections(),
    logger = silentLogger,
    admit = createApiConnectionLimits({ limits, refusals, logger }).admit,
  }: OnePortServerOptions) {
    this.#secure = secure;
    this.#limits = { ...defaultApiLimits, ...limits };
    this.#onRequest = limitHeads(onRequest, { limits: this.#limits, refusals });
    const { maxHeaders, maxHeaderBytes, maxCallsPerConnection: maxConcurrentStreams } = this.#limits;
    this.#refusals = refusals;
    this.#door = new Http2Door({ limits: this.#limits, refusals, logger });
    this.#trusted = trusted;
    this.#sniffTimeoutMs = sniffTimeoutMs;
    this.#logger = logger;
    this.#listener = new TcpListener({ onConnection: (socket) => void this.#serve(socket), admit, logger });
    this.#slowReaders = {
      timeoutMs: this.#limits.answerTimeoutMs,
      onSlow: () => {
        refusals.slow_reader += 1;
      },
    };
    this.#http1 = new Http1Server({
      onRequest: this.#handle,
      slowReaders: this.#slowReaders,
      maxHeadBytes: hardHeaderFactor * maxHeaderBytes,
      requestTimeoutMs: firstRequestTimeoutMs,
      idleTimeoutMs: http1IdleTimeoutMs,
      refusals,
    });
    this.#http2 = createHttp2Server({
      settings: { maxConcurrentStreams, maxHeaderListSize: hardHeaderFactor * maxHeaderBytes },
      maxHeaderListPairs: hardHeaderFactor * maxHeaders,
      maxSessionMemory,
    });
    showStreams(this.#http2, limitStreamHeads(onStream, this.#limits), this.#handle);
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

  /**
   * Starts to accept on a Unix socket in place of a port, always in cleartext: nobody is in between.
   *
   * @throws ListenError
   */
  async listenOnFile(address: UnixAddress): Promise<UnixAddress> {
    return this.#listener.listenOnFile(address);
  }

  /** Stops to accept, lets running calls end, and destroys the connections still open when `cut` aborts. */
  async stop(cut: AbortSignal): Promise<void> {
    const stopped = this.#listener.stop(cut);
    for (const socket of this.#undecided) socket.destroy();
    for (const session of this.#sessions) session.close();
    this.#http1.stop();
    await stopped;
  }

  /** Stops at once. Safe to call twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(AbortSignal.abort());
  }

  /** Never rejects. */
  async #serve(accepted: Socket): Promise<void> {
    let socket = accepted;
    this.#wait(socket);
    try {
      if (this.#secure !== undefined) {
        socket = await this.#secure(accepted);
        this.#undecided.delete(accepted);
        this.#wait(socket);
      }
      const version = await readParsed(socket, parseHttpVersion, { timeoutMs: this.#sniffTimeoutMs });
      if (version === "http2") {
        assertAnnounced(socket);
        const source = clientNetworkOf(accepted.remoteAddress ?? "");
        if (!(await this.#door.admits(socket, source))) return;
        this.#undecided.delete(socket);
        // A client's FIN ends an HTTP/2 connection. Node leaves that to the socket, and would keep the session for ever.
        socket.allowHalfOpen = false;
        this.#http2.once("session", (session) => {
          this.#adopt(session, socket, source);
        });
        this.#http2.emit("connection", socket);
      } else {
        this.#undecided.delete(socket);
        this.#http1.serve(socket);
      }
    } catch (error) {
      if (error instanceof ReadError && error.code === "timeout") this.#refusals.no_first_byte += 1;
      this.#logger.debug("connection without a request", { error: String(error) });
      socket.destroy();
    }
  }

  #wait(socket: Socket): void {
    this.#undecided.add(socket);
    socket.once("close", () => this.#undecided.delete(socket));
  }

  #adopt(session: ServerHttp2Session, socket: Socket, source: string): void {
    destroyLate(session);
    this.#sessions.add(session);
    this.#trusted.stack(session, socket);
    session.on("error", (error: Error) => {
      // Its own codes are for what the client does wrong; the others say that it is gone.
      if (errorCodeOf(error)?.startsWith("ERR_HTTP2_") === true) this.#refusals.http2_errors += 1;
      this.#logger.debug("HTTP/2 session failed", { error: error.message });
    });
    session.once("close", () => this.#sessions.delete(session));
    const end = watchSession(session, socket, {
      ...this.#sessionTimeouts,
      onSlow: () => {
        this.#refusals.slow_request += 1;
      },
    });
    this.#door.watch(session, socket, source, end);
    cutSlowReaders(session, socket, this.#slowReaders);
  }

  readonly #handle = (request: NodeRequest, response: NodeResponse): void => {
    // Its connection is over, and so is everything on it.
    if (carrierOf(request).destroyed) return;
    freeCallerAfter(request, response);
    try {
      this.#onRequest(request, response);
    } catch (error) {
      this.#logger.error("request failed", { error: String(error) });
      response.destroy();
    }
  };
}

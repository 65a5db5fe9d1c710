import { createServer, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { errorCodeOf } from "../net/system-error.js";
import type { NodeHandler } from "./node-http.js";
import type { RefusalReason, RefusalTally } from "./refusal-tally.js";
import { cutSlowReader, type SlowReaderOptions } from "./slow-reader.js";

export interface Http1ServerOptions {
  readonly onRequest: NodeHandler;
  /** How large the head of a request may be before its connection is cut, in bytes. */
  readonly maxHeadBytes: number;
  /** How long a request may take to come whole, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** How long a connection is kept between two requests, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** Who is cut off for not reading an answer. */
  readonly slowReaders: SlowReaderOptions;
  /** Told of connections that are cut. */
  readonly refusals: RefusalTally;
}

/** What Node ends a connection for, by the codes of its errors. */
const failures: ReadonlyMap<string | undefined, RefusalReason> = new Map([
  ["HPE_HEADER_OVERFLOW", "large_headers"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "slow_request"],
]);
/** How often connections are checked for their timeouts: short enough to keep them within a minute in all. */
const checkingIntervalMs = 4_000;

/** HTTP/1.1 on connections that somebody else accepts. */
export class Http1Server {
  readonly #server: Server;
  readonly #refusals: RefusalTally;
  /** Connections before and between their requests. */
  readonly #idle = new Set<Socket>();
  /** How many answers are due on each of the others: requests can come without waiting for the answers to those before. */
  readonly #dueCounts = new WeakMap<Socket, number>();
  #stopping = false;

  constructor({
    onRequest,
    maxHeadBytes,
    requestTimeoutMs,
    idleTimeoutMs,
    slowReaders,
    refusals,
  }: Http1ServerOptions) {
    this.#refusals = refusals;
    this.#server = createServer(
      {
        headersTimeout: requestTimeoutMs,
        requestTimeout: requestTimeoutMs,
        keepAliveTimeout: idleTimeoutMs,
        maxHeaderSize: maxHeadBytes,
        connectionsCheckingInterval: Math.min(checkingIntervalMs, requestTimeoutMs),
      },
      (request, response) => {
        this.#watch(request.socket, response);
        cutSlowReader(request, response, slowReaders);
        onRequest(request, response);
      },
    );
    // Otherwise those beyond 2,000 would be left out, and not be refused.
    this.#server.maxHeadersCount = 0;
    // A server that never listened does not watch its timeouts before it is told that it does.
    this.#server.emit("listening");
  }

  /** Serves a connection of which nothing has been read. */
  serve(socket: Socket): void {
    this.#idle.add(socket);
    socket.once("close", () => this.#idle.delete(socket));
    // Node has answered it, if there was something to answer, and cuts the connection.
    socket.once("error", (error) => {
      const reason = failures.get(errorCodeOf(error));
      if (reason !== undefined) this.#refusals[reason] += 1;
    });
    this.#server.emit("connection", socket);
  }

  /** Ends every connection: now, or when the answers are over that are due on it. */
  stop(): void {
    this.#stopping = true;
    for (const socket of this.#idle) socket.destroy();
    this.#server.close();
  }

  #watch(socket: Socket, response: ServerResponse): void {
    this.#idle.delete(socket);
    this.#addDue(socket, 1);
    if (this.#stopping) response.setHeader("connection", "close");
    response.once("close", () => {
      if (this.#addDue(socket, -1) > 0) return;
      // An answer that began before the stop has promised to keep its connection.
      if (this.#stopping) socket.destroySoon();
      else if (!socket.destroyed) this.#idle.add(socket);
    });
  }

  /** @returns how many answers are due on a connection then. */
  #addDue(socket: Socket, difference: number): number {
    const count = (this.#dueCounts.get(socket) ?? 0) + difference;
    this.#dueCounts.set(socket, count);
    return count;
  }
}

import { createServer, type IncomingMessage, type Server } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { endWith } from "../net/linger.js";
import { remoteEndpointOf } from "../net/socket-endpoint.js";
import {
  connectionEstablished,
  formatRefusal,
  httpStatusOf,
  httpStatusOfClientError,
  parseConnectTarget,
  parseProxyAuthorization,
  type HttpRefusal,
} from "./http-proxy.js";
import type { ProxyRequest } from "./inbound.js";
import type { Users } from "./users.js";

export interface HttpHandshakeOptions {
  /** Tag of the inbound, for the requests. */
  readonly inbound: string;
  readonly users: Users;
  /** How long the client may take for the head of its request, in milliseconds. */
  readonly timeoutMs: number;
  readonly onRequest: (request: ProxyRequest) => void;
  /** The client was told that it gets no connection, and why. */
  readonly onRefusal: (client: Socket, reason: string) => void;
}

/**
 * Talks to HTTP clients that want a connection through CONNECT. It is Node's own HTTP server, strict as it comes, without
 * a port: connections are handed to {@link HttpHandshake.serve}.
 */
export class HttpHandshake {
  readonly #server: Server;
  readonly #options: HttpHandshakeOptions;

  constructor(options: HttpHandshakeOptions) {
    const { timeoutMs } = options;
    this.#options = options;
    this.#server = createServer({
      headersTimeout: timeoutMs,
      requestTimeout: timeoutMs,
      connectionsCheckingInterval: Math.max(1, timeoutMs / 10),
    });
    // A server that never listened does not watch its timeouts before it is told that it does.
    this.#server.emit("listening");
    this.#server.on("connect", (request: IncomingMessage, client: Duplex, head: Buffer) => {
      if (client instanceof Socket) this.#onConnect(request, client, head);
      else client.destroy();
    });
    this.#server.on("request", (request: IncomingMessage) => {
      // A body that nobody reads would stop the socket from being read to its end.
      request.resume();
      this.#refuse(request.socket, { status: 405, reason: "this proxy takes CONNECT requests only" });
    });
    // Node itself would destroy the connection right behind its answer, which is lost then if the client sends on.
    this.#server.on("clientError", (error: Error, client: Duplex) => {
      if (client instanceof Socket) {
        this.#refuse(client, { status: httpStatusOfClientError(error), reason: error.message });
      } else client.destroy();
    });
  }

  /** Takes a connection over, from its first byte. */
  serve(client: Socket): void {
    this.#server.emit("connection", client);
  }

  /** Stops to watch timeouts. The connections are whose socket they are. */
  close(): void {
    this.#server.close();
  }

  #onConnect(request: IncomingMessage, client: Socket, head: Buffer): void {
    // It was refused already, for a request before this one.
    if (!client.writable) {
      client.resume();
      return;
    }
    const { inbound, users } = this.#options;
    const login = parseProxyAuthorization(request);
    const isAllowed =
      !users.areRequired || (login !== undefined && users.authenticate(login.username, login.password));
    if (!isAllowed) {
      this.#refuse(client, { status: 407, reason: "a username and its password are required" });
      return;
    }
    const target = request.url ?? "";
    const destination = parseConnectTarget(target);
    if (destination === undefined) {
      const reason = `CONNECT target ${JSON.stringify(withoutUserInfo(target))} is not HOST:PORT`;
      this.#refuse(client, { status: 400, reason });
      return;
    }
    // What came behind the request is in no buffer: put back, it is read and counted like all that follows.
    if (head.length > 0) client.unshift(head);
    this.#options.onRequest({
      inbound,
      client,
      user: users.areRequired ? login?.username : undefined,
      source: remoteEndpointOf(client),
      destination,
      accept: () => client.write(connectionEstablished),
      reject: ({ code, message }) => {
        endWith(client, formatRefusal({ status: httpStatusOf(code), reason: message }));
      },
    });
  }

  /** The first refusal is the last word: what the client sends behind it, further requests or not, is dropped. */
  #refuse(client: Socket, refusal: HttpRefusal): void {
    if (!client.writable) return;
    endWith(client, formatRefusal(refusal));
    this.#options.onRefusal(client, refusal.reason);
  }
}

/** The reason goes to the log, and user info may hold a password. */
function withoutUserInfo(target: string): string {
  return target.replace(/^.*@/s, "…@");
}

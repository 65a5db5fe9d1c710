import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { endWith } from "../../net/linger.js";
import type { LoginBrake } from "../../net/login-brake.js";
import { createPipe } from "../../net/pipe.js";
import { resetConnection } from "../../net/reset.js";
import { remoteEndpointOf } from "../../net/socket-endpoint.js";
import { HttpForwarder, type OriginRoute } from "./http-forwarder.js";
import { logIn } from "./http-login.js";
import { formatRefusal, httpStatusOfClientError, toRefusal, type HttpRefusal } from "./http-refusal.js";
import { HttpRefuser, isRefused } from "./http-refuser.js";
import { requestFaultOf, versionFaultOf } from "./http-request-fault.js";
import { HttpSession } from "./http-session.js";
import { parseAbsoluteTarget, parseConnectTarget } from "./http-target.js";
import type { ClientTimes } from "../client-times.js";
import type { ProxyRequest } from "../inbound.js";
import { RejectedError } from "../rejection.js";
import type { Users } from "../users.js";

export interface HttpProxyServerOptions {
  /** Tag of the inbound, for the requests. */
  readonly inbound: string;
  /** Who may send requests, at first. */
  readonly users: Users;
  /** Slows the answers to those who log in wrongly. */
  readonly logins: Pick<LoginBrake, "release">;
  readonly times: ClientTimes;
  readonly onRequest: (request: ProxyRequest) => void;
  /** The client was told that it gets no connection, and why. */
  readonly onRefusal: (client: Socket, reason: string) => void;
}

/** What tells a client that its connection stands. */
const connectionEstablished = "HTTP/1.1 200 Connection established\r\n\r\n";

/** The largest head of a request, in bytes. */
const maxHeadBytes = 64 * 1024;

/**
 * Talks to HTTP clients of a proxy: CONNECT gives them a connection, requests for `http://` URLs are passed on. It is
 * Node's own HTTP server, strict as it comes, without a port: connections are handed to {@link HttpProxyServer.serve}.
 */
export class HttpProxyServer {
  readonly #server: Server;
  readonly #options: HttpProxyServerOptions;
  readonly #refuser: HttpRefuser;
  readonly #sessions = new Map<Duplex, HttpSession>();
  /** Who may send requests, as it was when the request was let in that a client has under way. */
  readonly #usersAtLogin = new WeakMap<Socket, Users>();
  #users: Users;
  /** By which time the clients are watched; `undefined` before the first one. */
  #watchedMs: number | undefined;
  readonly #closing = new AbortController();

  constructor(options: HttpProxyServerOptions) {
    const { times } = options;
    this.#options = options;
    this.#users = options.users;
    // Each answer that is late listens.
    setMaxListeners(0, this.#closing.signal);
    this.#refuser = new HttpRefuser(options.onRefusal, times);
    this.#server = createServer({
      // An upload may take its time.
      requestTimeout: 0,
      maxHeaderSize: maxHeadBytes,
      insecureHTTPParser: false,
      // Checked here, so that it is answered in turn.
      requireHostHeader: false,
    });
    // Node would drop headers beyond this number unseen; their size is bounded anyway.
    this.#server.maxHeadersCount = 0;
    // Not in Node's documentation: without it a client that ends its side behind its request gets no answer.
    Object.assign(this.#server, { httpAllowHalfOpen: true });
    this.#server.on("connect", this.#onConnect);
    this.#server.on("request", this.#onRequest);
    // What to make of an expectation is the origin's to say.
    this.#server.on("checkContinue", this.#onRequest);
    this.#server.on("checkExpectation", this.#onRequest);
    // Node itself would destroy the connection right behind its answer, which is lost then if the client sends on.
    this.#server.on("clientError", this.#onClientError);
  }

  /** From here on each request has to come from one of these. */
  replaceUsers(users: Users): void {
    this.#users = users;
  }

  /** Takes a connection over, from its first byte. */
  serve(client: Socket): void {
    const { times } = this.#options;
    this.#watch(times.handshakeMs);
    const forwarder = new HttpForwarder((route) => this.#openOrigin(client, route));
    this.#sessions.set(client, new HttpSession(client, forwarder, times.lingerMs));
    // Node's server, too, reads it each time.
    this.#server.keepAliveTimeout = times.httpKeepAliveMs;
    client.once("close", () => {
      this.#forget(client);
    });
    this.#server.emit("connection", client);
  }

  /** Ends each connection that is not a tunnel, when it has its last answer. Those that are late are given at once. */
  close(): void {
    this.#closing.abort();
    for (const session of this.#sessions.values()) session.end();
    this.#closeIfUnused();
  }

  /**
   * Has Node's server look for clients whose heads take longer, often enough to find them in time. One that never listened does
   * so when it is told that it listens, anew each time, at the interval that it has then, which Node's documentation does not say.
   */
  #watch(handshakeMs: number): void {
    if (handshakeMs === this.#watchedMs) return;
    this.#watchedMs = handshakeMs;
    this.#server.headersTimeout = handshakeMs;
    Object.assign(this.#server, { connectionsCheckingInterval: Math.max(1, handshakeMs / 10) });
    this.#server.emit("listening");
  }

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const session = this.#sessions.get(request.socket);
    if (session === undefined) return;
    const broken = session.begin(request);
    session.enqueue(async () => this.#answer(session, request, response, broken));
  };

  async #answer(
    { client, forwarder }: HttpSession,
    request: IncomingMessage,
    response: ServerResponse,
    broken: AbortSignal,
  ): Promise<void> {
    // A request that broke is answered in the next turn.
    const isBroken = (): boolean => broken.aborted;
    if (isRefused(client) || isBroken()) {
      request.resume();
      return;
    }
    const fault = requestFaultOf(request);
    if (fault !== undefined) {
      this.#refuser.refuseRest(request, fault);
      return;
    }
    const { user, refusal, isWrong } = logIn(request, this.#users);
    if (refusal !== undefined) {
      if (isWrong === true && !(await this.#isDue(client))) return;
      // It may have turned out meanwhile that the rest of the request never comes.
      if (isRefused(client) || isBroken()) {
        request.resume();
        return;
      }
      await this.#refuser.refuseRequest(request, response, refusal);
      return;
    }
    this.#usersAtLogin.set(client, this.#users);
    const { target, reason } = parseAbsoluteTarget(request.url ?? "", request.method ?? "");
    if (target === undefined) {
      await this.#refuser.refuseRequest(request, response, { status: 400, reason });
      return;
    }
    try {
      await forwarder.forward({ request, response, target, user, broken });
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
      if (!isBroken()) await this.#refuser.refuseRequest(request, response, toRefusal(error));
    }
  }

  readonly #onConnect = (request: IncomingMessage, client: Duplex, head: Buffer): void => {
    const session = this.#sessions.get(client);
    if (session === undefined) client.destroy();
    else if (session.isIdle) this.#connect(session, request, head);
    else this.#refuseInTurn(session, { status: 400, reason: "CONNECT behind an unanswered request" });
  };

  #connect(session: HttpSession, request: IncomingMessage, head: Buffer): void {
    const { client } = session;
    if (isRefused(client)) {
      client.resume();
      return;
    }
    const fault = versionFaultOf(request);
    if (fault !== undefined) {
      this.#refuser.refuse(client, fault);
      return;
    }
    const { user, refusal, isWrong } = logIn(request, this.#users);
    if (refusal !== undefined) {
      session.enqueue(async () => {
        if (isWrong !== true || (await this.#isDue(client))) this.#refuser.refuse(client, refusal);
      });
      return;
    }
    const { target: destination, reason } = parseConnectTarget(request.url ?? "");
    if (destination === undefined) {
      this.#refuser.refuse(client, { status: 400, reason });
      return;
    }
    this.#forget(client);
    // What came behind the request is in no buffer: put back, it is read and counted like all that follows.
    if (head.length > 0) client.unshift(head);
    this.#options.onRequest({
      inbound: this.#options.inbound,
      client,
      user,
      source: remoteEndpointOf(client),
      destination,
      accept: () => client.write(connectionEstablished),
      reject: (rejection) => {
        endWith(client, formatRefusal(toRefusal(rejection)), this.#options.times.lingerMs);
      },
    });
  }

  /** Waits until a wrong login may be answered. @returns whether there is still somebody to answer. */
  async #isDue(client: Socket): Promise<boolean> {
    return this.#options.logins.release(client, this.#closing.signal);
  }

  /** To the router an origin's connection is a client's like any other, except that this process is at its other end. */
  #openOrigin(client: Socket, { user, origin }: OriginRoute): Duplex {
    const [near, far] = createPipe();
    // As of the sockets that Node's HTTP client is used to.
    near.allowHalfOpen = false;
    // In which Node writes heads, unless it is in a hurry.
    near.setDefaultEncoding("latin1");
    const usersAtLogin = this.#usersAtLogin.get(client) ?? this.#users;
    // A request is sent again whose kept connection was closed, perhaps because its user is gone.
    if (usersAtLogin !== this.#users && !this.#users.stillAdmit(user, usersAtLogin)) {
      far.destroy(new RejectedError({ code: "blocked", message: "its login does not hold any more" }));
      return near;
    }
    this.#options.onRequest({
      inbound: this.#options.inbound,
      client: far,
      user,
      source: remoteEndpointOf(client),
      destination: origin,
      accept: () => undefined,
      cut: () => {
        resetConnection(client);
        far.destroy();
      },
      reject: (rejection) => far.destroy(new RejectedError(rejection)),
    });
    return near;
  }

  readonly #onClientError = (error: Error, client: Duplex): void => {
    const session = this.#sessions.get(client);
    if (session === undefined) {
      client.destroy();
      return;
    }
    const refusal = { status: httpStatusOfClientError(error), reason: error.message };
    if (refusal.status === 408 && session.isHeld) {
      session.excuse(this.#options.times.handshakeMs, () => {
        this.#refuseInTurn(session, refusal);
      });
      return;
    }
    session.breakOff();
    this.#refuseInTurn(session, refusal);
  };

  #refuseInTurn(session: HttpSession, refusal: HttpRefusal): void {
    session.enqueue(() => {
      this.#refuser.refuse(session.client, refusal);
    });
  }

  #forget(client: Socket): void {
    this.#sessions.get(client)?.forwarder.close();
    this.#sessions.delete(client);
    this.#closeIfUnused();
  }

  /** Only then: Node's server destroys connections whose last answer is not out yet, and stops to watch timeouts. */
  #closeIfUnused(): void {
    if (this.#closing.signal.aborted && this.#sessions.size === 0) this.#server.close();
  }
}

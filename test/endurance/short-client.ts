import assert from "node:assert/strict";
import type { Socket } from "node:net";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { User } from "../../src/proxy/users.js";
import { basicLogin, readHttpAnswer } from "../helpers/http-client.js";
import { requestHead } from "../helpers/http-messages.js";
import { askOn } from "../helpers/proxy.js";
import { closed } from "../helpers/timing.js";
import { abandon } from "./abandoned-handshakes.js";
import { BodyCheck, headEnd, HeadReader, type ShortExchange } from "./short-exchange.js";
import type { ShortWay } from "./short-plan.js";
import type { Stage } from "./stage.js";
import { users } from "./users.js";

/** Below the ports that are given out, and nobody listens there. */
const refusingPort = 1;

/** What a client is told of a destination that refuses. */
const refusals: Readonly<Record<ShortWay, number>> = { socks5: 5, http: 502, plain: 502 };

/**
 * Plays the client's part of an exchange, until its connection has closed.
 *
 * @throws Error if it does not go as it is planned.
 */
export async function playClient(stage: Stage, exchange: ShortExchange, port: number): Promise<void> {
  const { plan } = exchange;
  const destination = { host: plan.byName ? "localhost" : "127.0.0.1", port };
  const socket = await stage.connect();
  switch (plan.fate) {
    case "abandoned":
      await abandon(socket, destination, plan.abandonment);
      return;
    case "refused":
      assert.equal(await askRefusing(socket, exchange), refusals[plan.way]);
      socket.resume().end();
      await closed(socket);
      return;
    case "whole":
      await new ClientEnd(socket, exchange).play(users.whole, destination);
      await exchange.originClosed;
      assertWhole(exchange);
      return;
    default:
      await new ClientEnd(socket, exchange).play(users.cut, destination);
  }
}

async function askRefusing(socket: Socket, { plan, id }: ShortExchange): Promise<number> {
  const destination = { host: "127.0.0.1", port: refusingPort };
  if (plan.way !== "plain") return askOn(socket, { protocol: plan.way, destination, user: users.barred });
  socket.write(requestHead("GET", urlOf(id, destination), basicLogin(users.barred)));
  return (await readHttpAnswer(socket)).status;
}

/** A client whose connection stands, or that has a request to pass on. */
class ClientEnd {
  readonly #socket: Socket;
  readonly #exchange: ShortExchange;
  readonly #body: BodyCheck;
  #head: HeadReader | undefined;
  #failure: Error | undefined;

  constructor(socket: Socket, exchange: ShortExchange) {
    this.#socket = socket;
    this.#exchange = exchange;
    this.#body = new BodyCheck(exchange.down);
    if (exchange.plan.way === "plain") this.#head = new HeadReader();
  }

  async play(user: User, destination: Endpoint): Promise<void> {
    const { plan, id } = this.#exchange;
    const socket = this.#socket;
    if (plan.way === "plain") {
      this.#send(plainHead(this.#exchange, destination, user));
    } else {
      await askOn(socket, { protocol: plan.way, destination, user });
      this.#send(`TUNNEL /${id}${headEnd}`);
    }
    socket.on("data", this.#onData);
    socket.on("end", () => {
      socket.end();
    });
    await closed(socket);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #send(head: string): void {
    const { plan, up } = this.#exchange;
    const isCutting = plan.fate === "client cuts";
    const body = isCutting ? up.subarray(0, plan.cutAfterUpBytes) : up;
    this.#exchange.clientSentBytes += head.length + body.length;
    this.#socket.write(Buffer.concat([Buffer.from(head), body]));
    if (isCutting && plan.cutAfterDownBytes === 0) setImmediate(() => this.#socket.resetAndDestroy());
    if (plan.fate === "whole" && plan.way !== "plain" && plan.endsFirst === "client") this.#socket.end();
  }

  readonly #onData = (piece: Buffer): void => {
    const { plan } = this.#exchange;
    this.#exchange.clientReceivedBytes += piece.length;
    if (plan.fate === "client cuts") {
      if (this.#exchange.clientReceivedBytes >= plan.cutAfterDownBytes) this.#socket.resetAndDestroy();
    } else if (plan.fate === "whole") {
      try {
        this.#body.take(this.#bodyIn(piece));
      } catch (error) {
        this.#failure = error instanceof Error ? error : new Error(String(error));
        this.#socket.destroy();
      }
      // The answer is there; over plain HTTP the connection would be kept for the next request.
      if (plan.way === "plain" && this.#head === undefined && this.#body.isComplete) this.#socket.end();
    }
  };

  #bodyIn(piece: Buffer): Buffer {
    if (this.#head === undefined) return piece;
    const read = this.#head.take(piece);
    if (read === undefined) return Buffer.alloc(0);
    assert.match(read.head, /^HTTP\/1\.1 200 /);
    this.#exchange.clientReceivedBytes -= read.head.length;
    this.#head = undefined;
    return read.rest;
  }
}

/** Both ends have seen all that the other has sent. */
function assertWhole({ plan, up, down, ...moved }: ShortExchange): void {
  assert.equal(moved.clientReceivedBytes, down.length);
  const isTunnel = plan.way !== "plain";
  if (isTunnel) assert.equal(moved.originReceivedBytes, moved.clientSentBytes);
  else assert.ok(moved.originReceivedBytes > up.length);
}

function plainHead({ id, plan, up }: ShortExchange, destination: Endpoint, user: User): string {
  const length = up.length === 0 ? [] : [`Content-Length: ${up.length}`];
  // Of an origin that cuts there may be an answer of the proxy's own, behind which the connection would be kept.
  const closing = plan.fate === "origin cuts" ? ["Connection: close"] : [];
  const method = up.length === 0 ? "GET" : "POST";
  return requestHead(method, urlOf(id, destination), basicLogin(user), ...length, ...closing);
}

function urlOf(id: number, { host, port }: Endpoint): string {
  return `http://${host}:${port}/${id}`;
}

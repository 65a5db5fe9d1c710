import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Server, type Socket } from "node:net";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { User } from "../../src/proxy/users.js";
import { askOn, granted, type ProxyProtocol } from "../helpers/proxy.js";
import { addressOf } from "../helpers/sockets.js";
import { closed } from "../helpers/timing.js";
import { DrivenProxy } from "./driven-proxy.js";
import type { Facts } from "./facts.js";

/** Whom to ask for a connection to where. */
export interface StageTunnelOptions {
  readonly protocol: ProxyProtocol;
  readonly destination: Endpoint;
  readonly user: User;
}

/** Something open that is not a socket or a listener of TCP. */
interface Disposable {
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a run plays on: a proxy in a process of its own, and all that this process opens around it. */
export class Stage {
  readonly proxy: DrivenProxy;
  readonly facts: Facts;
  readonly #figures: string[];
  readonly #sockets = new Set<Socket>();
  readonly #servers: Server[] = [];
  readonly #others: Disposable[] = [];
  #when = "";
  #isOver = false;

  private constructor(proxy: DrivenProxy, facts: Facts, figures: string[]) {
    this.proxy = proxy;
    this.facts = facts;
    this.#figures = figures;
  }

  /** @param figures - Where it adds what is worth a line below the table. */
  static async open(facts: Facts, figures: string[]): Promise<Stage> {
    return new Stage(await DrivenProxy.start(), facts, figures);
  }

  /** Figures for each connection, and the like. */
  addFigure(text: string): void {
    this.#figures.push(this.#when + text);
  }

  /** Says when the facts and figures that follow are found, in words that stand before each. */
  during(when: string): void {
    this.#when = `${when}: `;
    this.facts.during(when);
  }

  /** Connects to the proxy; half-open capable. */
  async connect(): Promise<Socket> {
    assert.ok(!this.#isOver, "the run is over");
    const socket = connect({ ...this.proxy.endpoint, allowHalfOpen: true, noDelay: true });
    this.#keep(socket);
    await once(socket, "connect");
    return socket;
  }

  /** A connection through the proxy that stands. */
  async openTunnel(options: StageTunnelOptions): Promise<Socket> {
    const socket = await this.connect();
    assert.equal(await askOn(socket, options), granted[options.protocol]);
    return socket;
  }

  /** Lets a server listen on a free port of 127.0.0.1. */
  async listen(server: Server): Promise<Endpoint> {
    this.#servers.push(server);
    server.on("connection", (socket: Socket) => {
      this.#keep(socket);
    });
    server.listen({ host: "127.0.0.1", port: 0, backlog: 4_096 });
    await once(server, "listening");
    return { host: "127.0.0.1", port: addressOf(server).port };
  }

  /** Sees to it that something is closed when the run is over, if not before. */
  own(other: Disposable): void {
    this.#others.push(other);
  }

  /** Closes everything that is still open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    const allClosed = [
      ...Array.from(this.#sockets, closed),
      ...this.#servers.map(async (server) => once(server, "close")),
    ];
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) server.close();
    await Promise.all([this.proxy[Symbol.asyncDispose](), ...allClosed]);
    for (const other of this.#others) await other[Symbol.asyncDispose]();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", ignore);
    if (this.#isOver) socket.destroy();
    socket.once("close", () => this.#sockets.delete(socket));
  }
}

function ignore(): void {
  // The close that follows is what counts.
}

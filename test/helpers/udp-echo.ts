import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import type { TestContext } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { Moved } from "./counted-proxy.js";
import type { TestPacket } from "./memory-packets.js";
import { closeAfter } from "./sockets.js";

export interface UdpEchoOptions {
  /** The IP address to bind. Default: `127.0.0.1`. */
  readonly host?: string;
  /** How many bytes every answer has: the packet's, cut or repeated. Default: as many as the packet. */
  readonly answerBytes?: number;
  /** Whether it answers from another port than the one it is asked at. Default: false. */
  readonly answersElsewhere?: boolean;
  /** How long it takes to answer, in milliseconds. Default: it answers at once. */
  readonly delayMs?: number;
  /** Whether it keeps its answers until {@link UdpEcho.release}. Default: false. */
  readonly holds?: boolean;
}

/** A UDP server that sends packets back, and counts their payload: what the counters must show, seen from the other end. */
export class UdpEcho {
  /** The packets that have come, in order, and where from. */
  readonly received: TestPacket[] = [];
  readonly #socket: Socket;
  readonly #answering: Socket;
  readonly #options: UdpEchoOptions;
  readonly #held: (() => void)[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #uplinkBytes = 0;
  #downlinkBytes = 0;
  #isClosed = false;

  constructor(options: UdpEchoOptions) {
    this.#options = options;
    this.#socket = this.#createSocket();
    this.#answering = options.answersElsewhere === true ? this.#createSocket() : this.#socket;
    this.#socket.on("message", (payload, from) => {
      this.received.push({ payload, endpoint: { host: from.address, port: from.port } });
      this.#uplinkBytes += payload.length;
      this.#answer(payload, from);
      this.#socket.emit("received");
    });
  }

  /** Where it is asked. */
  get endpoint(): Endpoint {
    return endpointOf(this.#socket);
  }

  /** Where its answers come from. */
  get answersFrom(): Endpoint {
    return endpointOf(this.#answering);
  }

  /** Bytes of payload, without any header: `up` came here, `down` was sent from here. */
  get moved(): Moved {
    return { up: this.#uplinkBytes, down: this.#downlinkBytes };
  }

  async start(): Promise<this> {
    const { host = "127.0.0.1" } = this.#options;
    for (const socket of new Set([this.#socket, this.#answering])) {
      socket.bind({ address: host, port: 0, exclusive: true });
      await once(socket, "listening");
    }
    return this;
  }

  /** Resolves when that many packets have come. */
  async receivedCount(count: number): Promise<void> {
    while (this.received.length < count) await once(this.#socket, "received");
  }

  /** Sends the answers that are held. */
  release(): void {
    for (const send of this.#held.splice(0)) send();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of new Set([this.#socket, this.#answering])) {
      const closed = once(socket, "close");
      socket.close();
      await closed;
    }
  }

  #createSocket(): Socket {
    const type = isIPv6(this.#options.host ?? "") ? "udp6" : "udp4";
    const socket = createSocket({ type, recvBufferSize: 1024 * 1024 });
    // Nobody listens to an answer any more: that is for the test to find out.
    socket.on("error", () => undefined);
    return socket;
  }

  #answer(payload: Buffer, { address, port }: RemoteInfo): void {
    const { answerBytes = payload.length, delayMs, holds = false } = this.#options;
    const answer = resized(payload, answerBytes);
    const send = (): void => {
      if (this.#isClosed) return;
      this.#answering.send(answer, port, address, (error) => {
        if (error === null) this.#downlinkBytes += answer.length;
      });
    };
    if (holds) this.#held.push(send);
    else if (delayMs === undefined) send();
    else this.#later(send, delayMs);
  }

  #later(send: () => void, delayMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      send();
    }, delayMs);
    this.#timers.add(timer);
  }
}

/** Starts an echo server on 127.0.0.1; it is closed after the test. */
export async function startUdpEcho(t: TestContext, options: UdpEchoOptions = {}): Promise<UdpEcho> {
  // Before there is one: a UDP socket is open from when it is made.
  closeAfter(t);
  const echo = new UdpEcho(options);
  closeAfter(t, echo);
  return echo.start();
}

function endpointOf(socket: Socket): Endpoint {
  const { address, port } = socket.address();
  return { host: address, port };
}

function resized(payload: Buffer, length: number): Buffer {
  return payload.length === 0 ? Buffer.alloc(length) : Buffer.alloc(length, payload);
}

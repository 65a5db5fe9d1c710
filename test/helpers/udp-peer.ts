import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import type { TestContext } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { TestPacket } from "./memory-packets.js";
import { closeAfter } from "./sockets.js";

const patienceMs = 5_000;

export interface UdpPeerOptions {
  /** The IP address to bind. Default: `127.0.0.1`. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
}

/** Somebody who waits for a datagram. */
interface Waiter {
  readonly take: (packet: TestPacket) => void;
  readonly fail: (error: Error) => void;
}

/** A UDP socket of Node's own that keeps what it receives until a test asks for it. */
export class UdpPeer {
  readonly #socket: Socket;
  readonly #kept: TestPacket[] = [];
  readonly #waiters = new Set<Waiter>();
  #isClosed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (payload, { address, port }) => {
      const packet = { payload, endpoint: { host: address, port } };
      const [waiter] = this.#waiters;
      if (waiter === undefined) this.#kept.push(packet);
      else waiter.take(packet);
    });
    // What fails to be sent is told to whoever sends it.
    socket.on("error", () => undefined);
  }

  /** Where it is bound. */
  get local(): Endpoint {
    const { address, port } = this.#socket.address();
    return { host: address, port };
  }

  /** How many datagrams have arrived that nobody has asked for yet. */
  get waitingCount(): number {
    return this.#kept.length;
  }

  /**
   * Sends a datagram.
   *
   * @throws Error if the operating system does not take it.
   */
  async send(payload: Buffer | string, { host, port }: Endpoint): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.send(payload, port, host, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  /** The next datagram, and where it comes from. Fails if there is none within 5 s, or before this is closed. */
  async receive(timeoutMs = patienceMs): Promise<TestPacket> {
    const kept = this.#kept.shift();
    if (kept !== undefined) return kept;
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        take: (packet) => {
          done();
          resolve(packet);
        },
        fail: (error) => {
          done();
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        waiter.fail(new Error(`no datagram within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const waiter of this.#waiters) waiter.fail(new Error("no datagram before the socket was closed"));
    const closed = once(this.#socket, "close");
    this.#socket.close();
    await closed;
  }
}

/** Opens a UDP socket on a free port of 127.0.0.1; it is closed after the test. */
export async function openUdpPeer(
  t: TestContext,
  { host = "127.0.0.1", port = 0 }: UdpPeerOptions = {},
): Promise<UdpPeer> {
  // Before there is one: a UDP socket is open from when it is made.
  closeAfter(t);
  const socket = createSocket({ type: isIPv6(host) ? "udp6" : "udp4", recvBufferSize: 1024 * 1024 });
  const peer = new UdpPeer(socket);
  closeAfter(t, peer);
  socket.bind({ address: host, port, exclusive: true });
  await once(socket, "listening");
  return peer;
}

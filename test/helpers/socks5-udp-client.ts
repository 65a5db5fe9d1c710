import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import ipaddr from "ipaddr.js";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { User } from "../../src/proxy/users.js";
import type { TestPacket } from "./memory-packets.js";
import { closeAfter } from "./sockets.js";
import { askSocks5, socks5Address } from "./socks5-client.js";
import { closed } from "./timing.js";
import { openUdpPeer, type UdpPeer } from "./udp-peer.js";

const unspecified: Endpoint = { host: "0.0.0.0", port: 0 };

export interface Socks5UdpClientOptions {
  /** Default: no login. */
  readonly user?: User;
  /**
   * Where the request says that the packets will come from: `own` is where they do come from. Default: all zeros, which
   * says nothing.
   */
  readonly expected?: Endpoint | "own";
  /** The IP address that the packets are sent from. Default: `127.0.0.1`. */
  readonly localHost?: string;
}

/** A client of a UDP association over SOCKS5. */
export class Socks5UdpClient {
  /** The connection that the association lives as long as. */
  readonly control: Socket;
  /** Where the proxy takes the packets. */
  readonly relay: Endpoint;
  readonly #peer: UdpPeer;

  constructor(control: Socket, relay: Endpoint, peer: UdpPeer) {
    this.control = control;
    this.relay = relay;
    this.#peer = peer;
  }

  /** Where the packets are sent from. */
  get local(): Endpoint {
    return this.#peer.local;
  }

  /** How many packets have arrived that nobody has asked for yet. */
  get waitingCount(): number {
    return this.#peer.waitingCount;
  }

  /** Sends a payload to an address or a name behind the proxy; resolves when the operating system has taken it. */
  async send(payload: Buffer | string, to: Endpoint): Promise<void> {
    await this.sendRaw(socks5Packet(payload, to));
  }

  /** Sends a datagram as it is. */
  async sendRaw(datagram: Buffer): Promise<void> {
    await this.#peer.send(datagram, this.relay);
  }

  /** The next payload from the proxy, and where it says that it comes from. Fails if there is none within 5 s. */
  async receive(timeoutMs?: number): Promise<TestPacket> {
    const { payload: datagram, endpoint: sender } = await this.#peer.receive(timeoutMs);
    assert.deepEqual(sender, this.relay, "it comes from where packets are sent to");
    return readSocks5Packet(datagram);
  }

  /** Resolves when the association is over, by whichever end. */
  async ended(): Promise<void> {
    this.control.resume();
    await closed(this.control);
  }

  /** Ends the association, and waits until its connection is closed. */
  async close(): Promise<void> {
    this.control.destroy();
    await closed(this.control);
    await this.#peer[Symbol.asyncDispose]();
  }
}

/**
 * Asks a proxy for an association; it is closed after the test.
 *
 * @throws AssertionError if the proxy refuses.
 */
export async function associateSocks5(
  t: TestContext,
  proxy: Endpoint,
  { user, expected = unspecified, localHost = "127.0.0.1" }: Socks5UdpClientOptions = {},
): Promise<Socks5UdpClient> {
  const peer = await openUdpPeer(t, { host: localHost });
  const control = connect({ ...proxy });
  closeAfter(t, control);
  await once(control, "connect");
  const from = expected === "own" ? peer.local : expected;
  const { reply, boundTo } = await askSocks5(control, from, user, 3);
  assert.equal(reply, 0, "the proxy refuses the association");
  const isAnywhere = boundTo.host === "0.0.0.0" || boundTo.host === "::";
  return new Socks5UdpClient(control, isAnywhere ? { ...boundTo, host: proxy.host } : boundTo, peer);
}

/** A packet of an association, as clients write it. */
export function socks5Packet(payload: Buffer | string, to: Endpoint, fragment = 0): Buffer {
  return Buffer.concat([Buffer.of(0, 0, fragment), socks5Address(to), Buffer.from(payload)]);
}

/** Reads a packet of an association; from a proxy its address is an IP address. */
export function readSocks5Packet(datagram: Buffer): TestPacket {
  const type = datagram[3];
  assert.deepEqual([...datagram.subarray(0, 3)], [0, 0, 0]);
  assert.ok(type === 1 || type === 4, `address type ${type ?? "missing"}`);
  const portStart = 4 + (type === 1 ? 4 : 16);
  const host = ipaddr.fromByteArray([...datagram.subarray(4, portStart)]).toString();
  const port = datagram.readUInt16BE(portStart);
  return { payload: datagram.subarray(portStart + 2), endpoint: { host, port } };
}

import { createSocket, type Socket } from "node:dgram";
import { isIPv4, isIPv6 } from "node:net";
import type { Endpoint } from "./endpoint.js";
import { canonicalAddress, unmapped } from "./ip-address.js";
import { ListenError } from "./listen-error.js";
import type { PacketSent } from "./packet-connection.js";
import { toError } from "./system-error.js";
import { withoutLookup } from "./without-lookup.js";

/** How many datagrams may wait until the operating system takes them; it takes most at once. */
const maxQueuedCount = 256;
/** How many bytes of them, so that those of many sockets do not add up. */
const maxQueuedBytes = 1024 * 1024;
/** Asked for, so that a burst fits in; the operating system may grant less. */
const receiveBufferBytes = 1024 * 1024;

export interface DatagramSocketOptions {
  /** The IP address to bind, in any spelling, `::` for every one, IPv4 too, and the port; 0 takes any free one. */
  readonly local: Endpoint;
  /** Called for each datagram that arrives. It must not throw. */
  readonly onDatagram: (datagram: Buffer, from: Endpoint) => void;
}

/**
 * A UDP socket that is bound from the start, holds a bounded number of datagrams, and never throws.
 *
 * Addresses are IP addresses: nothing is resolved here.
 */
export class DatagramSocket {
  /** Where it is bound, with the port that was chosen. */
  readonly local: Endpoint;
  /** Resolves when it is closed, by `close()` or because the operating system took it away. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  /** Whether it speaks IPv4 as well, in which addresses are mapped to IPv6 ones. */
  readonly #isDual: boolean;
  #isConnected = false;
  #isClosed = false;

  /** @throws ListenError */
  constructor({ local, onDatagram }: DatagramSocketOptions) {
    const host = canonicalAddress(local.host);
    this.#isDual = host === "::";
    const socket = createSocket({
      type: isIPv6(host) ? "udp6" : "udp4",
      ipv6Only: isIPv6(host) && !this.#isDual,
      recvBufferSize: receiveBufferBytes,
      lookup: withoutLookup,
    });
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#isClosed = true;
        resolve();
      });
    });
    let failure: Error | undefined;
    // Those of sending are told to the sender, and the network's own (ICMP) mean nothing to a socket for many.
    socket.on("error", (error) => (failure ??= error));
    // It is bound, or has failed, when this returns: synchronous, since there is nothing to look up.
    socket.bind({ address: host, port: local.port, exclusive: true });
    if (failure !== undefined) {
      this.close();
      throw new ListenError(local, failure);
    }
    this.local = { host: local.host, port: socket.address().port };
    socket.on("message", (datagram, { address, port }) => {
      onDatagram(datagram, { host: this.#isDual ? unmapped(address) : address, port });
    });
  }

  /**
   * From now on speaks with that endpoint only: the kernel drops what others send, and sends without looking for the way each
   * time, which costs less.
   *
   * Where the endpoint cannot be had, nothing changes.
   */
  connect({ host, port }: Endpoint): void {
    if (this.#isClosed || this.#isConnected) return;
    try {
      this.#socket.connect(port, this.#addressOf(host));
      // It is connected, or has failed, when that returns: synchronous, since there is nothing to look up.
      this.#socket.remoteAddress();
      this.#isConnected = true;
    } catch {
      // It has failed.
    }
  }

  /**
   * Sends a datagram, in one piece or in several, to that endpoint, or to the one it is connected to. What cannot be sent is
   * dropped, and `onSent` is told, perhaps before this returns.
   */
  send(datagram: Buffer | readonly Buffer[], to: Endpoint, onSent: PacketSent): void {
    if (this.#isClosed) {
      onSent(new Error("socket is closed"));
      return;
    }
    const socket = this.#socket;
    if (socket.getSendQueueCount() >= maxQueuedCount || socket.getSendQueueSize() >= maxQueuedBytes) {
      onSent(new Error("too many packets wait to be sent"));
      return;
    }
    if (this.#isConnected) {
      socket.send(datagram, (error) => {
        if (error === null) onSent(undefined);
        else this.#sendAgain(datagram, onSent);
      });
      return;
    }
    try {
      socket.send(datagram, to.port, this.#addressOf(to.host), (error) => {
        onSent(error ?? undefined);
      });
    } catch (error) {
      onSent(toError(error));
    }
  }

  /** Safe to call twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }

  /**
   * After an error that may be about an earlier datagram: what the kernel hears of one by ICMP (that nobody listens, that a
   * firewall refuses it, that it was too large for the way) it tells in place of sending the next. What is about this one is
   * told again.
   */
  #sendAgain(datagram: Buffer | readonly Buffer[], onSent: PacketSent): void {
    if (this.#isClosed) {
      onSent(new Error("socket is closed"));
      return;
    }
    this.#socket.send(datagram, (error) => {
      onSent(error ?? undefined);
    });
  }

  #addressOf(host: string): string {
    return this.#isDual && isIPv4(host) ? `::ffff:${host}` : host;
  }
}

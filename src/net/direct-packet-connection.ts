import { isIP } from "node:net";
import { DatagramSocket } from "./datagram-socket.js";
import { ownListenerError } from "./dial-error.js";
import type { Endpoint } from "./endpoint.js";
import { canonicalAddress } from "./ip-address.js";
import type { OwnListeners } from "./own-listeners.js";
import type { OwnSockets } from "./own-sockets.js";
import type { PacketConnection, PacketReceiver, PacketSent } from "./packet-connection.js";
import { Resolver } from "./resolver.js";
import { toError } from "./system-error.js";
import { WrittenEndpoints } from "./written-endpoints.js";

/** How many packets may wait for their destination's name to be resolved. */
const maxWaitingCount = 256;
/** How many bytes of them. */
const maxWaitingBytes = 1024 * 1024;

export interface DirectPacketConnectionOptions {
  /** Finds the addresses of names, of which the first is taken. Default: one of its own. */
  readonly resolver?: Resolver;
  /** Is given every socket. Default: none. */
  readonly ownSockets?: OwnSockets | undefined;
  /** Where not to send to: a packet that would come there is dropped. Default: none. */
  readonly ownListeners?: OwnListeners | undefined;
}

/**
 * Sends packets straight to where they are meant for, from a port of its own, and receives the answers.
 *
 * Only who was written to is heard: packets of strangers, who could otherwise add to somebody's bill, are dropped (RFC 4787
 * §5, address and port-dependent filtering).
 */
export class DirectPacketConnection implements PacketConnection {
  readonly closed: Promise<void>;
  readonly #resolver: Resolver;
  readonly #ownSockets: OwnSockets | undefined;
  readonly #ownListeners: OwnListeners | undefined;
  readonly #written = new WrittenEndpoints();
  /** By family; each is opened when the first packet needs it. */
  readonly #sockets = new Map<"0.0.0.0" | "::", DatagramSocket>();
  /** An IP address as a packet had it, and as sockets write it. */
  #literal = { host: "0.0.0.0", address: "0.0.0.0" };
  #onPacket: PacketReceiver | undefined;
  #waitingCount = 0;
  #waitingBytes = 0;
  #isClosed = false;
  #end: () => void = () => undefined;

  constructor({ resolver = new Resolver(), ownSockets, ownListeners }: DirectPacketConnectionOptions = {}) {
    this.#resolver = resolver;
    this.#ownSockets = ownSockets;
    this.#ownListeners = ownListeners;
    this.closed = new Promise((resolve) => (this.#end = resolve));
  }

  receive(onPacket: PacketReceiver): void {
    this.#onPacket = onPacket;
  }

  send(payload: Buffer, { host, port }: Endpoint, onSent: PacketSent = ignore): void {
    const address = this.#addressOf(host);
    if (address !== undefined) this.#sendTo({ host: address, port }, payload, onSent);
    else void this.#sendResolved({ host, port }, payload, onSent);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const socket of this.#sockets.values()) socket.close();
    this.#end();
  }

  /** The address of a host, if it is known. Of IP addresses the latest is remembered: most packets go where the last did. */
  #addressOf(host: string): string | undefined {
    if (host === this.#literal.host) return this.#literal.address;
    if (isIP(host) === 0) return this.#resolver.get(host)?.[0];
    this.#literal = { host, address: canonicalAddress(host) };
    return this.#literal.address;
  }

  /** Never rejects. Packets for one name keep their order: all of them wait for the same look-up. */
  async #sendResolved({ host, port }: Endpoint, payload: Buffer, onSent: PacketSent): Promise<void> {
    if (this.#waitingCount >= maxWaitingCount || this.#waitingBytes + payload.length > maxWaitingBytes) {
      onSent(new Error("too many packets wait for names to be resolved"));
      return;
    }
    this.#waitingCount += 1;
    this.#waitingBytes += payload.length;
    try {
      const [address = host] = await this.#resolver.resolve(host);
      this.#sendTo({ host: address, port }, payload, onSent);
    } catch (error) {
      onSent(toError(error));
    } finally {
      this.#waitingCount -= 1;
      this.#waitingBytes -= payload.length;
    }
  }

  #sendTo(to: Endpoint, payload: Buffer, onSent: PacketSent): void {
    if (this.#isClosed) {
      onSent(new Error("connection is closed"));
      return;
    }
    if (this.#ownListeners?.has("udp", to) === true) {
      onSent(ownListenerError(to));
      return;
    }
    try {
      const socket = this.#socketFor(to.host);
      this.#written.add(to.host, to.port);
      socket.send(payload, to, onSent);
    } catch (error) {
      // ListenError: there is no such family here, or no descriptor left.
      onSent(toError(error));
    }
  }

  #socketFor(address: string): DatagramSocket {
    // It is an IP address: which kind it is needs no parsing any more.
    const host = address.includes(":") ? "::" : "0.0.0.0";
    const existing = this.#sockets.get(host);
    if (existing !== undefined) return existing;
    const socket = new DatagramSocket({ local: { host, port: 0 }, onDatagram: this.#onDatagram });
    this.#sockets.set(host, socket);
    this.#ownSockets?.addSender(socket);
    return socket;
  }

  readonly #onDatagram = (datagram: Buffer, from: Endpoint): void => {
    if (this.#written.has(from.host, from.port)) this.#onPacket?.(datagram, from);
  };
}

function ignore(): void {
  // Nobody wants to know.
}

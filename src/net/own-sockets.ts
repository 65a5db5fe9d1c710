import { isIPv6, type Socket } from "node:net";
import type { IsOwnConnection } from "./admit-others.js";
import type { DatagramSocket } from "./datagram-socket.js";
import { formatEndpoint, type Endpoint } from "./endpoint.js";
import { canonicalAddress, withoutZone } from "./ip-address.js";
import { LocalAddresses } from "./local-addresses.js";
import { localEndpointOf } from "./socket-endpoint.js";

/**
 * The sockets that lead out of an app and are open, to tell at an inbound whether a client is the app itself: then what
 * arrives there runs in a circle.
 */
export class OwnSockets {
  /** By both ends, since the kernel lets connections to different destinations share a port. */
  readonly #connections = new Map<string, Socket>();
  /** By where they are bound. */
  readonly #senders = new Map<string, DatagramSocket>();
  readonly #addresses: LocalAddresses;

  /** @param addresses - Tells which are this machine's. Default: one of its own. */
  constructor(addresses: LocalAddresses = new LocalAddresses()) {
    this.#addresses = addresses;
  }

  /**
   * Takes a TCP socket that is connecting, until it closes.
   *
   * It has to be there before its other end is accepted, which may be sooner than it is known to be connected. So our end
   * is asked for as soon as the kernel has chosen it: in the tick after the one in which Node connects.
   */
  addConnecting(socket: Socket, { host, port }: Endpoint): void {
    process.nextTick(() => {
      if (socket.localPort === undefined) return;
      const local = localEndpointOf(socket);
      const address = canonicalAddress(host);
      // Whoever connects to the unspecified address connects to themselves.
      const isUnspecified = address === "0.0.0.0" || address === "::";
      const key = connectionKey(local, { host: isUnspecified ? local.host : address, port });
      this.#connections.set(key, socket);
      socket.on("close", () => {
        if (this.#connections.get(key) === socket) this.#connections.delete(key);
      });
    });
  }

  /** Takes a UDP socket, until it closes. */
  addSender(socket: DatagramSocket): void {
    const key = formatEndpoint(socket.local);
    this.#senders.set(key, socket);
    void socket.closed.then(() => {
      if (this.#senders.get(key) === socket) this.#senders.delete(key);
    });
  }

  /** Whether an accepted connection is one of ours. */
  readonly isConnection: IsOwnConnection = (source, accepted) =>
    this.#connections.has(connectionKey(source, accepted));

  /** Whether a packet from there is one of ours. */
  isSender({ host, port }: Endpoint): boolean {
    if (this.#senders.has(formatEndpoint({ host, port }))) return true;
    // Who is bound to no address in particular sends from any that the machine has.
    const anywhere = { host: isIPv6(host) ? "::" : "0.0.0.0", port };
    return this.#senders.has(formatEndpoint(anywhere)) && this.#addresses.has(host);
  }

  /** How many sockets are known: all that are open. */
  get count(): number {
    return this.#connections.size + this.#senders.size;
  }
}

function connectionKey(from: Endpoint, to: Endpoint): string {
  return `${endKey(from)} ${endKey(to)}`;
}

/** Whoever connects may name the interface otherwise than whoever accepts: by its number. */
function endKey({ host, port }: Endpoint): string {
  return formatEndpoint({ host: withoutZone(host), port });
}

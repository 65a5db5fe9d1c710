import { isIPv6, type Socket } from "node:net";
import { silentLogger, type Logger } from "../../log/logger.js";
import { closed } from "../../net/closed.js";
import { DatagramSocket } from "../../net/datagram-socket.js";
import { formatEndpoint, type Endpoint } from "../../net/endpoint.js";
import type { PacketConnection, PacketReceiver, PacketSent } from "../../net/packet-connection.js";
import { PacketQueue } from "../../net/packet-queue.js";
import { localEndpointOf } from "../../net/socket-endpoint.js";
import { toError } from "../../net/system-error.js";
import { formatSocksPacketHeader, SocksPacketParser } from "./socks5-packet.js";

export interface SocksPacketConnectionOptions {
  /** The connection on which the association was asked for, and which has to stay open as long as it is wanted. */
  readonly control: Socket;
  /** Where the server takes packets, and where it sends them from: an IP address as sockets write it, and a port. */
  readonly relay: Endpoint;
  /** Default: silent. */
  readonly logger?: Logger;
}

/**
 * The client's side of a UDP association (RFC 1928 §7): packets to any destination, by way of a SOCKS5 server.
 *
 * It is over when the control connection is. Packets from anywhere but the relay, fragments and malformed ones are dropped.
 */
export class SocksPacketConnection implements PacketConnection {
  readonly closed: Promise<void>;
  readonly #control: Socket;
  readonly #relay: Endpoint;
  readonly #logger: Logger;
  readonly #socket: DatagramSocket;
  readonly #parser = new SocksPacketParser();
  readonly #queue = new PacketQueue();

  /** @throws ListenError if there is no port to be had. */
  constructor({ control, relay, logger = silentLogger }: SocksPacketConnectionOptions) {
    this.#control = control;
    this.#relay = relay;
    this.#logger = logger;
    this.#socket = new DatagramSocket({
      local: { host: localHostFor(relay, control), port: 0 },
      onDatagram: this.#onDatagram,
    });
    this.closed = this.#end();
    control.once("end", () => {
      this.close();
    });
    // Whatever the server still says means nothing, but it has to be read for its end to be seen.
    control.resume();
    if (control.readableEnded) this.close();
  }

  receive(onPacket: PacketReceiver): void {
    this.#queue.drainTo(onPacket);
  }

  send(payload: Buffer, endpoint: Endpoint, onSent: PacketSent = ignore): void {
    try {
      this.#socket.send([formatSocksPacketHeader(endpoint), payload], this.#relay, onSent);
    } catch (error) {
      onSent(toError(error));
    }
  }

  close(): void {
    this.#socket.close();
    this.#control.destroy();
  }

  /** Whichever of the two sockets ends takes the other one with it. */
  async #end(): Promise<void> {
    const controlClosed = closed(this.#control);
    await Promise.race([controlClosed, this.#socket.closed]);
    this.close();
    await Promise.all([controlClosed, this.#socket.closed]);
  }

  readonly #onDatagram = (datagram: Buffer, { host, port }: Endpoint): void => {
    if (host !== this.#relay.host || port !== this.#relay.port) {
      this.#drop("it does not come from the relay", { host, port });
      return;
    }
    const packet = this.#parser.parse(datagram);
    if (packet.kind === "bad") {
      this.#drop(packet.reason, { host, port });
    } else if (!this.#queue.push(packet.payload, packet.endpoint)) {
      this.#drop("too many packets wait to be received", { host, port });
    }
  };

  #drop(reason: string, from: Endpoint): void {
    this.#logger.debug("packet dropped", { source: formatEndpoint(from), reason });
  }
}

/** The address under which the server knows us already, unless its relay is in the other family. */
function localHostFor(relay: Endpoint, control: Socket): string {
  const { host } = localEndpointOf(control);
  if (isIPv6(relay.host) === isIPv6(host)) return host;
  return isIPv6(relay.host) ? "::" : "0.0.0.0";
}

function ignore(): void {
  // Nobody wants to know.
}

import type { Socket } from "node:net";
import { silentLogger, type Logger } from "../../log/logger.js";
import { DatagramSocket } from "../../net/datagram-socket.js";
import type { Endpoint } from "../../net/endpoint.js";
import { IdleTimer } from "../../net/idle-timer.js";
import { endWith } from "../../net/linger.js";
import type { PacketConnection, PacketReceiver, PacketSent } from "../../net/packet-connection.js";
import { localEndpointOf, remoteEndpointOf } from "../../net/socket-endpoint.js";
import { toError } from "../../net/system-error.js";
import { defaultClientTimes, type ClientTimes } from "../client-times.js";
import { formatSocksPacketHeader, SocksPacketParser } from "./socks5-packet.js";

export interface SocksAssociationOptions {
  /** The connection on which the client asked for the association, and which it keeps open as long as it wants it. */
  readonly control: Socket;
  /** Where the client said that it will send its packets from. */
  readonly expected: Endpoint;
  /** After how long without a packet the association ends, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** How long the client may take to close. Default: {@link defaultClientTimes}. */
  readonly times?: ClientTimes;
  /** Default: silent. */
  readonly logger?: Logger;
}

/**
 * The server's side of a UDP association (RFC 1928 §7): a UDP port for one client.
 *
 * The client is known by its control connection's address, and by the port of its first packet, unless one comes from the
 * port that it announced: some announce where their packets are to go (V2Ray), or cannot know where they come from (behind a
 * NAT). Packets from elsewhere, fragments and malformed ones are dropped, and the association lives.
 *
 * States: nothing heard → client known → closed, when the control connection ends, or when no packet has passed for a while.
 */
export class SocksAssociation implements PacketConnection {
  /** Where the client is to send its packets. */
  readonly relay: Endpoint;
  readonly closed: Promise<void>;
  readonly #control: Socket;
  readonly #socket: DatagramSocket;
  readonly #idle: IdleTimer;
  readonly #times: ClientTimes;
  readonly #logger: Logger;
  readonly #parser = new SocksPacketParser();
  /** 0 if it announced none of its own. */
  readonly #announcedPort: number;
  /** Where it was heard last; until it is known, what it announced. */
  #client: Endpoint;
  #isKnown = false;
  #onPacket: PacketReceiver | undefined;
  #newestHeader: { readonly from: Endpoint; readonly bytes: Buffer } | undefined;

  /** @throws ListenError if there is no port to be had. */
  constructor({
    control,
    expected,
    idleTimeoutMs,
    times = defaultClientTimes,
    logger = silentLogger,
  }: SocksAssociationOptions) {
    const { host } = remoteEndpointOf(control);
    this.#control = control;
    this.#times = times;
    this.#logger = logger;
    this.#announcedPort = expected.host === host ? expected.port : 0;
    this.#client = { host, port: this.#announcedPort };
    this.#socket = new DatagramSocket({
      local: { host: localEndpointOf(control).host, port: 0 },
      onDatagram: this.#onDatagram,
    });
    this.relay = this.#socket.local;
    this.#idle = new IdleTimer(idleTimeoutMs, () => {
      this.close();
    });
    this.closed = this.#socket.closed;
    control.once("end", () => {
      this.close();
    });
    control.once("close", () => {
      this.close();
    });
    // Whatever it still says means nothing, but it has to be read for its end to be seen.
    control.resume();
    if (control.readableEnded || control.destroyed) this.close();
  }

  receive(onPacket: PacketReceiver): void {
    this.#onPacket = onPacket;
  }

  send(payload: Buffer, from: Endpoint, onSent: PacketSent = ignore): void {
    this.#idle.touch();
    try {
      this.#socket.send([this.#headerFor(from), payload], this.#client, onSent);
    } catch (error) {
      onSent(toError(error));
    }
  }

  close(): void {
    this.#idle.stop();
    this.#socket.close();
    if (this.#control.writable) endWith(this.#control, "", this.#times.lingerMs);
  }

  readonly #onDatagram = (datagram: Buffer, from: Endpoint): void => {
    if (!this.#isClient(from)) {
      this.#logger.debug("packet of somebody else dropped", { source: from.host, port: from.port });
      return;
    }
    const packet = this.#parser.parse(datagram);
    if (packet.kind === "bad") {
      this.#logger.debug("packet dropped", { source: from.host, port: from.port, reason: packet.reason });
      return;
    }
    if (!this.#isKnown) this.#recognize(from);
    this.#client = from;
    this.#idle.touch();
    this.#onPacket?.(packet.payload, packet.endpoint);
  };

  #isClient({ host, port }: Endpoint): boolean {
    if (host !== this.#client.host) return false;
    return !this.#isKnown || port === this.#client.port || port === this.#announcedPort;
  }

  /** From here on nobody else need be heard, unless it announced a port from which it may still send. */
  #recognize(client: Endpoint): void {
    this.#isKnown = true;
    if (this.#announcedPort === 0 || client.port === this.#announcedPort) this.#socket.connect(client);
  }

  /** Answers mostly come from where the one before came from. */
  #headerFor(from: Endpoint): Buffer {
    const newest = this.#newestHeader;
    if (newest?.from.host === from.host && newest.from.port === from.port) return newest.bytes;
    const bytes = formatSocksPacketHeader(from);
    this.#newestHeader = { from, bytes };
    return bytes;
  }
}

function ignore(): void {
  // Nobody wants to know.
}

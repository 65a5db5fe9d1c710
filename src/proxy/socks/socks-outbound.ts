import { isIP, isIPv6 } from "node:net";
import { silentLogger, type Logger } from "../../log/logger.js";
import { DialError } from "../../net/dial-error.js";
import { dialThrough, type Handshake } from "../../net/dial-through.js";
import { systemLookup, type DialOptions } from "../../net/dial.js";
import { formatEndpoint, type Endpoint } from "../../net/endpoint.js";
import type { PacketConnection } from "../../net/packet-connection.js";
import { localEndpointOf, remoteEndpointOf } from "../../net/socket-endpoint.js";
import { toError } from "../../net/system-error.js";
import type {
  DialingOutbound,
  OutboundConnection,
  OutboundDialOptions,
  PacketOutbound,
} from "../outbound.js";
import { requestSocks5 } from "./socks5-client-handshake.js";
import { formatRequest } from "./socks5-client.js";
import type { Socks5Login } from "./socks5.js";
import { SocksPacketConnection, type SocksPacketConnectionOptions } from "./socks-packet-connection.js";
import { findSocksRelay } from "./socks-relay.js";

export interface SocksOutboundOptions extends Omit<DialOptions, "signal"> {
  readonly tag: string;
  /** The SOCKS5 server. Its name is resolved here, those of destinations are left to it. */
  readonly server: Endpoint;
  /** Default: none. */
  readonly login?: Socks5Login | undefined;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** Leaves through a SOCKS5 server: connections by CONNECT, packets by UDP ASSOCIATE. */
export class SocksOutbound implements DialingOutbound, PacketOutbound {
  readonly tag: string;
  readonly blocks = false;
  readonly #server: Endpoint;
  readonly #login: Socks5Login | undefined;
  readonly #logger: Logger;
  readonly #dialOptions: DialOptions;

  constructor({ tag, server, login, logger = silentLogger, ...dialOptions }: SocksOutboundOptions) {
    this.tag = tag;
    this.#server = server;
    this.#login = login;
    this.#logger = logger;
    this.#dialOptions = dialOptions;
  }

  async dial(destination: Endpoint, { signal }: OutboundDialOptions = {}): Promise<OutboundConnection> {
    const what = this.#through(`connect to ${formatEndpoint(destination)}`);
    const request = toConnectRequest(destination, what);
    return this.#dialThrough(what, signal, async (socket) => {
      const boundTo = await requestSocks5(socket, request, this.#login);
      // Not every client can read a name there.
      return { connection: socket, boundTo: isIP(boundTo.host) === 0 ? localEndpointOf(socket) : boundTo };
    });
  }

  async dialPackets({ signal }: OutboundDialOptions = {}): Promise<PacketConnection> {
    return this.#dialThrough(this.#through("send packets"), signal, async (control) => {
      const { host: serverHost } = remoteEndpointOf(control);
      const request = formatRequest("associate", { host: isIPv6(serverHost) ? "::" : "0.0.0.0", port: 0 });
      const boundTo = await requestSocks5(control, request, this.#login);
      const { lookup = systemLookup } = this.#dialOptions;
      const relay = await findSocksRelay({ boundTo, serverHost, lookup });
      return associate({ control, relay, logger: this.#logger });
    });
  }

  #through(what: string): string {
    return `${what} through SOCKS server ${formatEndpoint(this.#server)}`;
  }

  async #dialThrough<T>(what: string, signal: AbortSignal | undefined, handshake: Handshake<T>): Promise<T> {
    return dialThrough(this.#server, { ...this.#dialOptions, what, handshake, signal });
  }
}

/** @throws DialError if the destination's name is too long. */
function toConnectRequest(destination: Endpoint, what: string): Buffer {
  try {
    return formatRequest("connect", destination);
  } catch (cause) {
    throw new DialError("failed", `${what}: ${toError(cause).message}`, { cause });
  }
}

/** @throws DialError with the bare reason. */
function associate(options: SocksPacketConnectionOptions): PacketConnection {
  try {
    return new SocksPacketConnection(options);
  } catch (cause) {
    throw new DialError("failed", toError(cause).message, { cause });
  }
}

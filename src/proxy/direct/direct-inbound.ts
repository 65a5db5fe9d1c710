import type { Socket } from "node:net";
import { silentLogger, type Logger } from "../../log/logger.js";
import type { Admit } from "../../net/connection-limits.js";
import type { Endpoint } from "../../net/endpoint.js";
import type { OwnSockets } from "../../net/own-sockets.js";
import { resetConnection } from "../../net/reset.js";
import { localEndpointOf, remoteEndpointOf } from "../../net/socket-endpoint.js";
import { TcpListener } from "../../net/tcp-listener.js";
import { DirectSessions } from "./direct-sessions.js";
import { LoopReport } from "../loop-report.js";
import type { Inbound, PacketHandler, ProxyRequest, RequestHandler } from "../inbound.js";

export interface DirectInboundOptions {
  readonly tag: string;
  readonly listen: Endpoint;
  /** Where everything goes that arrives. */
  readonly destination: Endpoint;
  /** Takes TCP connections. Absent: no TCP. */
  readonly onRequest?: RequestHandler | undefined;
  /** Takes packets. Absent: no UDP. */
  readonly onPackets?: PacketHandler | undefined;
  /** How many UDP clients there may be; of more, the one that has been silent longest gives way. Default: 4,096. */
  readonly maxSessions?: number;
  /** How long a UDP client may go without a packet either way, in milliseconds. Default: 300,000, as in sing-box. */
  readonly udpTimeoutMs?: number;
  /** The sockets that lead out of the app. A client that is one of them is refused. Default: none. */
  readonly ownSockets?: OwnSockets;
  /** Which TCP connections to take. Default: all. */
  readonly admit?: Admit;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** How often a free TCP port is tried whose UDP port is taken. */
const maxAttempts = 10;

/**
 * A port in front of one service: what arrives, over TCP, UDP or both, goes there, so that any service can be counted
 * without a proxy client.
 */
export class DirectInbound implements Inbound {
  readonly tag: string;
  readonly type = "direct";
  readonly #options: DirectInboundOptions &
    Required<Pick<DirectInboundOptions, "maxSessions" | "udpTimeoutMs" | "logger">>;
  #listener: TcpListener | undefined;
  #sessions: DirectSessions | undefined;

  constructor({
    maxSessions = 4_096,
    udpTimeoutMs = 300_000,
    logger = silentLogger,
    ...options
  }: DirectInboundOptions) {
    this.tag = options.tag;
    this.#options = { ...options, maxSessions, udpTimeoutMs, logger };
  }

  async start(): Promise<Endpoint> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#listen();
      } catch (error) {
        await this.stop(AbortSignal.abort());
        if (this.#options.listen.port !== 0 || attempt === maxAttempts) throw error;
      }
    }
  }

  async stop(cut: AbortSignal): Promise<void> {
    await Promise.all([this.#listener?.stop(cut), this.#sessions?.stop(cut)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(AbortSignal.abort());
  }

  /** Listens for both under one number. */
  async #listen(): Promise<Endpoint> {
    const { listen, destination, onRequest, onPackets, logger } = this.#options;
    const { maxSessions, udpTimeoutMs, ownSockets, admit } = this.#options;
    let local = listen;
    if (onRequest !== undefined) {
      const loops = new LoopReport({ inbound: this.tag, network: "tcp", logger });
      const onConnection = (client: Socket): void => {
        const source = remoteEndpointOf(client);
        if (ownSockets?.isConnection(source, localEndpointOf(client)) === true) {
          loops.add(source);
          resetConnection(client);
          return;
        }
        void onRequest(toRequest(client, this.tag, destination));
      };
      this.#listener = new TcpListener({ onConnection, admit, logger });
      local = await this.#listener.listen(listen);
    }
    if (onPackets !== undefined) {
      this.#sessions = new DirectSessions({
        ...{ inbound: this.tag, listen: local, destination, onPackets },
        ...{ ownSockets, logger },
        ...{ maxCount: maxSessions, idleTimeoutMs: udpTimeoutMs },
      });
      local = this.#sessions.local;
    }
    return local;
  }
}

/** There is no handshake, and so no word for what goes wrong: such a client is reset. */
function toRequest(client: Socket, inbound: string, destination: Endpoint): ProxyRequest {
  return {
    inbound,
    client,
    source: remoteEndpointOf(client),
    destination,
    accept: () => undefined,
    reject: () => {
      resetConnection(client);
    },
  };
}

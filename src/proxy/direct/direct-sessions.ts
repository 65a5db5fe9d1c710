import type { Logger } from "../../log/logger.js";
import { DatagramSocket } from "../../net/datagram-socket.js";
import { formatEndpoint, type Endpoint } from "../../net/endpoint.js";
import type { OwnSockets } from "../../net/own-sockets.js";
import { DirectSession } from "./direct-session.js";
import type { PacketHandler } from "../inbound.js";
import { LoopReport } from "../loop-report.js";

export interface DirectSessionsOptions {
  /** Tag of the inbound, for the requests. */
  readonly inbound: string;
  readonly listen: Endpoint;
  /** Where every packet goes. */
  readonly destination: Endpoint;
  readonly onPackets: PacketHandler;
  /** The sockets that lead out of the app: what comes from one of them is dropped. */
  readonly ownSockets?: OwnSockets | undefined;
  readonly logger?: Logger;
  /** How many clients there may be; of more, the one that has been silent longest gives way. */
  readonly maxCount: number;
  /** How long a client may go without a packet either way, in milliseconds. */
  readonly idleTimeoutMs: number;
}

/** The UDP side of a `direct` inbound: one port, and a session for each address and port that sends to it. */
export class DirectSessions {
  /** Where it listens. */
  readonly local: Endpoint;
  readonly #options: DirectSessionsOptions;
  readonly #socket: DatagramSocket;
  /** The one that was heard from last is the last. */
  readonly #sessions = new Map<string, DirectSession>();
  readonly #loops: LoopReport;
  #isStopping = false;

  /** @throws ListenError */
  constructor(options: DirectSessionsOptions) {
    this.#options = options;
    const { inbound, logger } = options;
    this.#loops = new LoopReport({ inbound, network: "udp", logger });
    this.#socket = new DatagramSocket({ local: options.listen, onDatagram: this.#onDatagram });
    this.local = this.#socket.local;
  }

  /** Takes no new clients, lets the sessions end, and ends those still open when `cut` aborts. */
  async stop(cut: AbortSignal): Promise<void> {
    this.#isStopping = true;
    const closeAll = (): void => {
      for (const session of this.#sessions.values()) session.close();
    };
    if (cut.aborted) closeAll();
    cut.addEventListener("abort", closeAll);
    await Promise.all(Array.from(this.#sessions.values(), async ({ closed }) => closed));
    cut.removeEventListener("abort", closeAll);
    this.#socket.close();
    await this.#socket.closed;
  }

  readonly #onDatagram = (datagram: Buffer, client: Endpoint): void => {
    const key = formatEndpoint(client);
    const session = this.#sessions.get(key) ?? this.#open(key, client);
    if (session === undefined) return;
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    session.deliver(datagram);
  };

  #open(key: string, client: Endpoint): DirectSession | undefined {
    if (this.#isStopping) return undefined;
    const { inbound, destination, onPackets, ownSockets, maxCount, idleTimeoutMs } = this.#options;
    if (ownSockets?.isSender(client) === true) {
      this.#loops.add(client);
      return undefined;
    }
    if (this.#sessions.size >= maxCount) this.#closeOldest();
    const session = new DirectSession({ socket: this.#socket, client, destination, idleTimeoutMs });
    this.#sessions.set(key, session);
    void session.closed.then(() => {
      if (this.#sessions.get(key) === session) this.#sessions.delete(key);
    });
    void onPackets({ inbound, client: session, source: client });
    return session;
  }

  #closeOldest(): void {
    for (const [key, session] of this.#sessions) {
      this.#sessions.delete(key);
      session.close();
      return;
    }
  }
}

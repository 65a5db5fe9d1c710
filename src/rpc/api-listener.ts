import type { Logger } from "../log/logger.js";
import { formatListenAddress, isUnix, type ListenAddress } from "../net/listen-address.js";
import { ListenError } from "../net/listen-error.js";
import { isLoopbackHost } from "../net/loopback.js";
import type { OnePortServer } from "./one-port-server.js";

export interface ApiListenerOptions {
  readonly listen: ListenAddress;
  readonly server: OnePortServer;
  /** Whether whoever reaches it can read and reset the counters. */
  readonly asksNobody: boolean;
  /** Whether it may be reached by other machines all the same. */
  readonly insecure: boolean;
  readonly logger: Logger;
  /** Called before it listens; what it throws, the start throws. */
  readonly prepare: () => Promise<void>;
  /** Reads files again. */
  readonly refresh: () => Promise<void>;
  /** Called once, when the stop begins. */
  readonly onStop: () => void;
}

/** One of the addresses at which an API server listens. */
export class ApiListener {
  readonly #options: ApiListenerOptions;
  #isStopped = false;

  constructor(options: ApiListenerOptions) {
    this.#options = options;
  }

  /** @throws ListenError, also if it must not listen there: beyond loopback, asking nobody for anything. */
  async start(): Promise<ListenAddress> {
    const { listen, server, prepare } = this.#options;
    this.#assertMeant();
    await prepare();
    return isUnix(listen) ? server.listenOnFile(listen) : server.listen(listen);
  }

  /** Reads the files again that all listeners of the server have in common. */
  async refresh(): Promise<void> {
    await this.#options.refresh();
  }

  /** Stops to accept, lets running calls end, and destroys the connections still open when `cut` aborts. */
  async stop(cut: AbortSignal): Promise<void> {
    if (!this.#isStopped) this.#options.onStop();
    this.#isStopped = true;
    await this.#options.server.stop(cut);
  }

  #assertMeant(): void {
    const { listen, asksNobody, insecure, logger } = this.#options;
    if (!asksNobody || isUnix(listen) || isLoopbackHost(listen.host)) return;
    if (!insecure) {
      throw new ListenError(
        listen,
        new Error(
          "other machines can reach it: give it secrets or mutual TLS, let it listen on loopback or a Unix socket, or say insecure: true",
        ),
      );
    }
    logger.warn("whoever reaches the V2Ray API can read and reset the counters: it has no secret", {
      listen: formatListenAddress(listen),
    });
  }
}

import { silentLogger } from "../log/logger.js";
import type { Endpoint } from "../net/endpoint.js";
import type { CounterStore } from "../stats/counter-store.js";
import { createCallHandler } from "./call-handler.js";
import { guard } from "./guard.js";
import { OnePortServer, type OnePortServerOptions } from "./one-port-server.js";
import { registerStatsService } from "./routes.js";
import { createStatsService } from "./stats-service.js";
import { SysStats } from "./sys-stats.js";

export interface ApiServerOptions extends Omit<OnePortServerOptions, "onRequest"> {
  readonly listen: Endpoint;
  /** The counters to serve. Without one the StatsService is not registered, and its calls are UNIMPLEMENTED. */
  readonly store?: CounterStore | undefined;
  /** Origins whose pages may call, such as `https://panel.example`. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** Largest request message, in bytes. Default: 65,536. */
  readonly maxRequestBytes?: number;
}

/** The V2Ray API on one port, for gRPC, gRPC-Web and Connect clients. */
export class ApiServer {
  readonly #listen: Endpoint;
  readonly #server: OnePortServer;
  readonly #sysStats = new SysStats();

  constructor({
    listen,
    store,
    allowedOrigins = [],
    maxRequestBytes,
    logger = silentLogger,
    ...timeouts
  }: ApiServerOptions) {
    this.#listen = listen;
    const calls = createCallHandler({
      routes: (router) => {
        if (store === undefined) return;
        registerStatsService(router, createStatsService({ store, sysStats: this.#sysStats }));
      },
      ...(maxRequestBytes === undefined ? {} : { maxRequestBytes }),
      logger,
    });
    this.#server = new OnePortServer({
      onRequest: guard(calls, { listenHost: listen.host, allowedOrigins }),
      logger,
      ...timeouts,
    });
  }

  /**
   * Starts to accept.
   *
   * @returns where it listens, with the port that was chosen if `listen` names port 0.
   * @throws ListenError
   */
  async start(): Promise<Endpoint> {
    return this.#server.listen(this.#listen);
  }

  /** Stops to accept, lets running calls end, and destroys the connections still open when `cut` aborts. */
  async stop(cut: AbortSignal): Promise<void> {
    await this.#server.stop(cut);
    this.#sysStats[Symbol.dispose]();
  }

  /** Stops at once. Safe to call twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(AbortSignal.abort());
  }
}

import { setMaxListeners } from "node:events";
import { silentLogger, type Logger } from "../log/logger.js";
import type { RefusedConnections } from "../net/connection-limits.js";
import { formatEndpoint, type Endpoint } from "../net/endpoint.js";
import { FailureBrake } from "../net/failure-brake.js";
import { ListenError } from "../net/listen-error.js";
import { isLoopbackHost } from "../net/loopback.js";
import type { CounterStore } from "../stats/counter-store.js";
import type { ConnectionTable } from "../track/connection-table.js";
import type { OnlineUsers } from "../track/online-users.js";
import { createCallHandler } from "./call-handler.js";
import type { CallTally } from "./call-tally.js";
import { guard } from "./guard.js";
import type { MetricsOptions } from "./metrics/metrics-options.js";
import { createMetricsPages } from "./metrics/pages.js";
import { OnePortServer, type OnePortServerOptions } from "./one-port-server.js";
import { registerHealth } from "./health.js";
import { registerReflection } from "./reflection.js";
import { createRefusalTally } from "./refusal-tally.js";
import { hotMethodsOf, registerStatsService } from "./routes.js";
import type { ApiSecret } from "./secrets.js";
import { createStatsService } from "./stats-service.js";
import { guardStreams } from "./stream-guard.js";
import { SysStats } from "./sys-stats.js";

/** What an {@link ApiServer} serves, to whom, and where. */
export interface ApiServerOptions extends Omit<OnePortServerOptions, "onRequest"> {
  /**
   * Where to listen. An empty host means every address of the machine, port 0 any free one. Without `secrets`, whoever
   * reaches it can read and reset the counters, so it has to be loopback then.
   */
  readonly listen: Endpoint;
  /** The counters to serve. Without one the StatsService is not registered, and its calls are UNIMPLEMENTED. */
  readonly store?: CounterStore | undefined;
  /** The users who are online, for Xray's calls. Without it, or without a store, these are UNIMPLEMENTED. */
  readonly online?: OnlineUsers | undefined;
  /** Origins whose web pages may call, as browsers write them: `https://panel.example`, never `*`. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /**
   * Which secrets one needs to call: one of these, as `authorization: Bearer SECRET`, for everything but gRPC's health
   * service. Others are UNAUTHENTICATED, and who tries too often is answered late. Default: none, and everybody may call.
   */
  readonly secrets?: readonly ApiSecret[];
  /** Whether it may listen beyond loopback without a secret all the same. Default: false. */
  readonly insecure?: boolean;
  /** Largest request message, in bytes. Default: 65,536. */
  readonly maxRequestBytes?: number;
  /** What is served at `/metrics`, `/scrape` and `/debug/vars`. Default: all of it, with V2Ray's names. */
  readonly metrics?: MetricsOptions;
  /** The connections that the metrics tell of. Default: they tell of none. */
  readonly connections?: ConnectionTable | undefined;
  /** What limits have refused, for the metrics. Default: they do not tell. */
  readonly refusedConnections?: RefusedConnections | undefined;
}

/**
 * The V2Ray API on one port, for gRPC, gRPC-Web and Connect clients: the StatsService under the names of V2Ray, Xray and
 * sing-box, over HTTP/2 with prior knowledge and HTTP/1.1. Beside it, gRPC's health service and server reflection, and
 * metrics for Prometheus.
 *
 * It is started once: a stopped one is not started again, another one is made.
 */
export class ApiServer {
  readonly #listen: Endpoint;
  readonly #logger: Logger;
  /** Whether it asks nobody for a secret and listens where other machines may reach it. */
  readonly #isExposed: boolean;
  readonly #insecure: boolean;
  readonly #server: OnePortServer;
  readonly #sysStats = new SysStats();
  readonly #stopping = new AbortController();

  /** It does nothing before {@link start}. */
  constructor({
    listen,
    store,
    online,
    allowedOrigins = [],
    secrets = [],
    insecure = false,
    maxRequestBytes,
    metrics = {},
    connections,
    refusedConnections,
    logger = silentLogger,
    ...timeouts
  }: ApiServerOptions) {
    this.#listen = listen;
    this.#logger = logger;
    this.#isExposed = secrets.length === 0 && !isLoopbackHost(listen.host);
    this.#insecure = insecure;
    const { signal: stopping } = this.#stopping;
    // Each stream that waits for what comes next listens.
    setMaxListeners(0, stopping);
    const sysStats = this.#sysStats;
    const refusals = createRefusalTally();
    const tallies: CallTally[] = [];
    const service = store && createStatsService({ store, online, sysStats });
    const figures = { store, sysStats, connections, refusedConnections, calls: tallies, refusals };
    const calls = createCallHandler({
      routes: (router) => {
        if (service !== undefined) registerStatsService(router, service);
        registerHealth(router, { stopping });
        registerReflection(router, { stopping });
      },
      ...(maxRequestBytes === undefined ? {} : { maxRequestBytes }),
      hotMethods: service === undefined ? [] : hotMethodsOf(service),
      pages: createMetricsPages({ ...metrics, ...figures, logger }),
      onMethod: (tally) => tallies.push(tally),
      refusals,
      logger,
    });
    const brake = new FailureBrake({
      onSlowed: (source) => {
        logger.warn("wrong secrets are answered late", { source });
      },
    });
    const whom = { listenHost: listen.host, allowedOrigins, secrets };
    this.#server = new OnePortServer({
      onRequest: guard(calls.onRequest, { ...whom, brake, refusals }),
      onStream: guardStreams(calls.onStream, whom),
      logger,
      ...timeouts,
    });
  }

  /**
   * Starts to accept.
   *
   * @returns where it listens, with the port that was chosen if `listen` names port 0.
   * @throws ListenError if it cannot listen there, or must not: beyond loopback without a secret.
   */
  async start(): Promise<Endpoint> {
    if (this.#isExposed) this.#assertMeant();
    return this.#server.listen(this.#listen);
  }

  #assertMeant(): void {
    if (!this.#insecure) {
      throw new ListenError(
        this.#listen,
        new Error(
          "other machines can reach it: give it secrets, let it listen on loopback, or say insecure: true",
        ),
      );
    }
    this.#logger.warn("whoever reaches the V2Ray API can read and reset the counters: it has no secret", {
      listen: formatEndpoint(this.#listen),
    });
  }

  /**
   * Stops to accept, lets running calls end, and destroys the connections still open when `cut` aborts. Resolves when
   * everything has ended.
   *
   * @param cut - How long to wait: `AbortSignal.timeout(5_000)` for five seconds.
   */
  async stop(cut: AbortSignal): Promise<void> {
    this.#stopping.abort();
    await this.#server.stop(cut);
    this.#sysStats[Symbol.dispose]();
  }

  /** Stops at once, cutting what is open; for `await using`. Safe to call twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(AbortSignal.abort());
  }
}

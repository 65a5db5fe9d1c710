import { setMaxListeners } from "node:events";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { silentLogger, type Logger } from "../log/logger.js";
import type { IsOwnConnection } from "../net/admit-others.js";
import type { Admit, RefusedConnections } from "../net/connection-limits.js";
import { FailureBrake } from "../net/failure-brake.js";
import { isUnix, type ListenAddress } from "../net/listen-address.js";
import type { FailedLogins } from "../net/login-brake.js";
import { isMutual, type TlsServerOptions } from "../net/tls-server-options.js";
import { TlsServer } from "../net/tls-server.js";
import type { CounterStore } from "../stats/counter-store.js";
import type { ConnectionTable } from "../track/connection-table.js";
import type { OnlineUsers } from "../track/online-users.js";
import { admitTrusted, createApiConnectionLimits } from "./api-connection-limits.js";
import { defaultApiLimits, type ApiLimits } from "./api-limits.js";
import { ApiListener } from "./api-listener.js";
import { createCallHandler, type CallHandler } from "./call-handler.js";
import type { CallTally } from "./call-tally.js";
import { guard, type GuardOptions } from "./guard.js";
import type { MetricsOptions } from "./metrics/metrics-options.js";
import { createMetricsPages } from "./metrics/pages.js";
import { OnePortServer, type ConnectionTimeouts, type OnePortServerOptions } from "./one-port-server.js";
import { registerHealth } from "./health.js";
import { refuseOwnConnections } from "./own-connections.js";
import { registerReflection } from "./reflection.js";
import { createRefusalTally } from "./refusal-tally.js";
import { createRequestGate } from "./request-gate.js";
import { hotMethodsOf, registerStatsService } from "./routes.js";
import type { ApiSecret } from "./secrets.js";
import { createStatsService } from "./stats-service.js";
import { guardStreams } from "./stream-guard.js";
import { SysStats } from "./sys-stats.js";
import { TrustedConnections } from "./trusted-connections.js";

/** What an {@link ApiCore} serves, and to whom. */
export interface ApiCoreOptions extends ConnectionTimeouts, ApiLimits {
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
  /**
   * What TLS is spoken on its ports. Unix sockets are without it. With `clientAuthentication: "require-and-verify"` it may listen
   * beyond loopback without a secret. Default: none.
   */
  readonly tls?: TlsServerOptions | undefined;
  /** Whether it may listen beyond loopback without a secret or mutual TLS all the same. Default: false. */
  readonly insecure?: boolean;
  /** What is served at `/metrics`, `/scrape` and `/debug/vars`. Default: all of it, with V2Ray's names. */
  readonly metrics?: MetricsOptions;
  /** The connections that the metrics tell of. Default: they tell of none. */
  readonly connections?: ConnectionTable | undefined;
  /** What limits have refused, for the metrics. Default: they do not tell. */
  readonly refusedConnections?: RefusedConnections | undefined;
  /** The logins that have failed at a proxy, for the metrics. Default: they do not tell. */
  readonly failedLogins?: FailedLogins | undefined;
  /**
   * Tells which accepted connections a proxy in the same process has made: they are reset before anything is read, since its
   * clients would seem to call from this machine. Default: there are none.
   */
  readonly isOwnConnection?: IsOwnConnection | undefined;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** What clients may speak under TLS, by their names in ALPN. */
const protocols = ["h2", "http/1.1"] as const;

/**
 * What all listeners of an API server have in common: the calls they answer and their figures, the guard and its memory of
 * who guesses, and the TLS of those that speak it.
 *
 * It ends with the last of its listeners that stops. Then another one is made.
 */
export class ApiCore {
  readonly #calls: CallHandler;
  readonly #guard: GuardOptions;
  readonly #server: Omit<OnePortServerOptions, "onRequest" | "onStream"> & { readonly admit: Admit };
  readonly #logger: Logger;
  /** Whether it asks nobody for a secret or a certificate. */
  readonly #isOpenToAll: boolean;
  /** Whether it may listen where other machines reach it all the same. */
  readonly #isInsecure: boolean;
  readonly #tls: TlsServer | undefined;
  readonly #trusted = new TrustedConnections();
  readonly #sysStats = new SysStats();
  readonly #stopping = new AbortController();
  #tlsStarted: Promise<void> | undefined;
  #listenerCount = 0;

  constructor({
    store,
    online,
    allowedOrigins = [],
    secrets = [],
    tls,
    insecure = false,
    metrics = {},
    connections,
    refusedConnections,
    failedLogins,
    isOwnConnection,
    logger = silentLogger,
    ...timeoutsAndLimits
  }: ApiCoreOptions) {
    this.#logger = logger;
    this.#isInsecure = insecure;
    const { signal: stopping } = this.#stopping;
    const trusted = this.#trusted;
    // Each stream that waits for what comes next listens.
    setMaxListeners(0, stopping);
    const sysStats = this.#sysStats;
    const refusals = createRefusalTally();
    const tallies: CallTally[] = [];
    const ofProxy = { connections, refusedConnections, failedLogins };
    const figures = { store, sysStats, ...ofProxy, calls: tallies, refusals };
    const limits = { ...defaultApiLimits, ...timeoutsAndLimits };
    const shared = { limits, refusals, logger };
    const service = store && createStatsService({ store, online, sysStats, limits, refusals });
    const calls = createCallHandler({
      routes: (router) => {
        if (service !== undefined) registerStatsService(router, service);
        registerHealth(router, { stopping, refusals });
        registerReflection(router, { stopping, refusals });
      },
      hotMethods: service === undefined ? [] : hotMethodsOf(service),
      pages: createMetricsPages({ ...metrics, ...figures, logger }),
      onMethod: (tally) => tallies.push(tally),
      ...shared,
    });
    const { beforeRequests, beforeStreams } = createRequestGate(shared);
    this.#calls = { onRequest: beforeRequests(calls.onRequest), onStream: beforeStreams(calls.onStream) };
    const brake = new FailureBrake({
      onSlowed: (source) => {
        logger.warn("wrong secrets are answered late", { source });
      },
    });
    const isProven = tls !== undefined && isMutual(tls);
    this.#isOpenToAll = secrets.length === 0 && !isProven;
    this.#guard = {
      listenHost: undefined,
      allowedOrigins,
      secrets,
      brake,
      trusted,
      stopping,
      refusals,
      isMutual: isProven,
    };
    const limited = createApiConnectionLimits({
      ...shared,
      trusted: this.#isOpenToAll ? undefined : trusted,
    });
    const admit = refuseOwnConnections(limited.admit, { isOwnConnection, refusals, logger });
    this.#server = { ...timeoutsAndLimits, ...shared, admit, trusted };
    const { sniffTimeoutMs: handshakeTimeoutMs = 10_000 } = timeoutsAndLimits;
    this.#tls = tls && new TlsServer(tls, { protocols, handshakeTimeoutMs, logger });
  }

  /** Whether all of its listeners have stopped. */
  get isOver(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Makes one that listens at an address. It has to be stopped, started or not. */
  createListener(listen: ListenAddress): ApiListener {
    this.#listenerCount += 1;
    const isFile = isUnix(listen);
    const guardOptions = isFile
      ? { ...this.#guard, isMutual: false }
      : { ...this.#guard, listenHost: listen.host };
    const tls = isFile ? undefined : this.#tls;
    // Where a certificate is all that is asked for, a socket asks for nothing.
    const asksNothing = isFile && this.#guard.secrets?.length === 0;
    const admit = asksNothing ? admitTrusted(this.#server.admit, this.#trusted) : this.#server.admit;
    return new ApiListener({
      listen,
      server: new OnePortServer({
        ...{ ...this.#server, admit },
        onRequest: guard(this.#calls.onRequest, guardOptions),
        onStream: guardStreams(this.#calls.onStream, guardOptions),
        secure: tls && (async (socket) => this.#secure(tls, socket)),
      }),
      asksNobody: this.#isOpenToAll,
      insecure: this.#isInsecure,
      logger: this.#logger,
      prepare: async () => (this.#tlsStarted ??= this.#tls?.start()),
      refresh: async () => this.#tls?.refresh(),
      onStop: () => {
        this.#release();
      },
    });
  }

  async #secure(tls: TlsServer, socket: Socket): Promise<TLSSocket> {
    const secured = await tls.secure(socket);
    this.#trusted.stack(secured, socket);
    // Not what is above it: a secret may be asked for all the same, and who guesses one is to be cut.
    if (this.#guard.isMutual === true) this.#trusted.trust(socket);
    return secured;
  }

  #release(): void {
    this.#listenerCount -= 1;
    if (this.#listenerCount > 0) return;
    this.#stopping.abort();
    this.#tls?.stop();
    this.#sysStats[Symbol.dispose]();
  }
}

import type { TestContext } from "node:test";
import type { ApiLimits } from "../../src/rpc/api-limits.js";
import { createCallHandler, type CallHandler } from "../../src/rpc/call-handler.js";
import type { CallTally } from "../../src/rpc/call-tally.js";
import { guard } from "../../src/rpc/guard.js";
import type { HotAnswer, HotMethod } from "../../src/rpc/hot/hot-method.js";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { createRefusalTally, type RefusalTally } from "../../src/rpc/refusal-tally.js";
import { createRequestGate } from "../../src/rpc/request-gate.js";
import { hotMethodsOf, registerStatsService } from "../../src/rpc/routes.js";
import type { ApiSecret } from "../../src/rpc/secrets.js";
import { createStatsService, type StatsService } from "../../src/rpc/stats-service.js";
import { guardStreams } from "../../src/rpc/stream-guard.js";
import { TrustedConnections } from "../../src/rpc/trusted-connections.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import { valuesOf } from "./api-server.js";
import { RecordingLogger } from "./recording-logger.js";
import { closeAfter } from "./sockets.js";

export interface ServedWayOptions {
  /** Puts counters into the store, the same for every server. Default: there are none. */
  readonly fill?: (store: CounterStore) => void;
  readonly secrets?: readonly ApiSecret[];
  readonly allowedOrigins?: readonly string[];
  readonly limits?: ApiLimits;
  /** Calls that are answered otherwise. Default: none. */
  readonly calls?: Partial<StatsService>;
}

/** A server of the StatsService, with all that a call leaves behind in it. */
export class ServedWay {
  readonly store = new CounterStore();
  readonly refusals: RefusalTally = createRefusalTally();
  readonly logger = new RecordingLogger();
  readonly server: OnePortServer;
  port = 0;
  /** How many calls the shorter way has served. */
  hotCount = 0;
  readonly #calls: CallHandler;
  readonly #tallies: CallTally[] = [];

  constructor(
    isHot: boolean,
    {
      fill = () => undefined,
      secrets = [],
      allowedOrigins = [],
      limits = {},
      calls = {},
    }: ServedWayOptions = {},
  ) {
    fill(this.store);
    const usual = createStatsService({
      store: this.store,
      sysStats: { read: () => sysStats },
      limits,
      refusals: this.refusals,
    });
    const service: StatsService = { ...usual, ...calls };
    this.#calls = createCallHandler({
      routes: (router) => {
        registerStatsService(router, service);
      },
      hotMethods: isHot ? hotMethodsOf(service).map((method) => this.#counted(method)) : [],
      limits,
      onMethod: (tally) => this.#tallies.push(tally),
      refusals: this.refusals,
      logger: this.logger,
    });
    const whom = { listenHost: "127.0.0.1", secrets, allowedOrigins, trusted: new TrustedConnections() };
    const gate = createRequestGate({ limits, refusals: this.refusals });
    this.server = new OnePortServer({
      onRequest: guard(gate.beforeRequests(this.#calls.onRequest), { ...whom, refusals: this.refusals }),
      onStream: guardStreams(gate.beforeStreams(this.#calls.onStream), whom),
      limits,
      refusals: this.refusals,
      logger: this.logger,
    });
  }

  /** The calls that were counted, the requests that were refused, and the counters. */
  traces(): unknown {
    return {
      calls: this.#tallies.map((tally) => [tally.service, tally.method, ...tally.list()]),
      refusals: { ...this.refusals },
      values: valuesOf(this.store),
      warnings: this.logger.messages("warn"),
    };
  }

  #counted(method: HotMethod): HotMethod {
    return {
      path: method.path,
      read: (request, isBinary) => {
        const answer = method.read(request, isBinary);
        return (context): ReturnType<HotAnswer> => {
          this.hotCount += 1;
          return answer(context);
        };
      },
    };
  }
}

/** Starts a server on 127.0.0.1; it is stopped after the test. */
export async function startWay(
  t: TestContext,
  isHot: boolean,
  options: ServedWayOptions = {},
): Promise<ServedWay> {
  const way = new ServedWay(isHot, options);
  closeAfter(t, way.server);
  ({ port: way.port } = await way.server.listen({ host: "127.0.0.1", port: 0 }));
  return way;
}

/** Starts two servers that differ only in that one of them serves calls on the shorter way. */
export async function startBothWays(
  t: TestContext,
  options: ServedWayOptions = {},
): Promise<{ readonly hot: ServedWay; readonly routed: ServedWay }> {
  return { hot: await startWay(t, true, options), routed: await startWay(t, false, options) };
}

const sysStats = {
  NumGoroutine: 1,
  NumGC: 2,
  Alloc: 3n,
  TotalAlloc: 2n ** 40n,
  Sys: 5n,
  Mallocs: 0n,
  Frees: 0n,
  LiveObjects: 0n,
  PauseTotalNs: 2n ** 60n,
  Uptime: 7,
};

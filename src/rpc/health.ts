import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "#gen/grpc/health/v1/health_pb.js";
import { firstAbort } from "./first-abort.js";
import { createRefusalTally, type RefusalTally } from "./refusal-tally.js";
import { createStreamGate } from "./stream-gate.js";

export interface HealthOptions {
  /** Aborts when the server stops: nothing is served from then on. */
  readonly stopping: AbortSignal;
  /**
   * How many calls may watch at the same time, and half as many beside them of those who have none of the secrets that there
   * are. Default: 128. Further ones are RESOURCE_EXHAUSTED.
   */
  readonly maxWatchers?: number;
  /** Told of every call that finds no room. Default: one that nobody reads. */
  readonly refusals?: RefusalTally;
}

/** How the paths of its calls begin. */
export const healthPath = `/${Health.typeName}/`;

interface HealthRequest {
  readonly service: string;
}

interface HealthResponse {
  readonly status: ServingStatus;
}

/**
 * Registers gRPC's health service: whether the server serves, as a whole (`""`) and each service of the router, by its full
 * name. They all do until the server stops.
 *
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export function registerHealth(
  router: ConnectRouter,
  { stopping, maxWatchers = 128, refusals = createRefusalTally() }: HealthOptions,
): void {
  const letIn = createStreamGate({ maxCount: maxWatchers, what: "calls watch", refusals });
  const names = (): Set<string> => new Set(["", ...router.handlers.map(({ service }) => service.typeName)]);
  const current = (): ServingStatus => (stopping.aborted ? ServingStatus.NOT_SERVING : ServingStatus.SERVING);

  async function* watch(
    { service }: HealthRequest,
    context: HandlerContext,
  ): AsyncGenerator<HealthResponse, void, undefined> {
    letIn(context);
    const { signal } = context;
    const isKnown = names().has(service);
    const first = isKnown ? current() : ServingStatus.SERVICE_UNKNOWN;
    yield { status: first };
    if (first === ServingStatus.NOT_SERVING) return;
    await firstAbort(stopping, signal);
    signal.throwIfAborted();
    if (isKnown) yield { status: current() };
  }

  router.service(Health, {
    check({ service }: HealthRequest): HealthResponse {
      if (names().has(service)) return { status: current() };
      throw new ConnectError(`unknown service ${JSON.stringify(service)}`, Code.NotFound);
    },
    list: () => ({
      statuses: Object.fromEntries(Array.from(names(), (name) => [name, { status: current() }])),
    }),
    watch,
  });
}

import type { Http2Session } from "node:http2";
import type { Socket } from "node:net";
import { defaultApiLimits, type ApiLimits } from "./api-limits.js";
import { anybody } from "./caller.js";
import type { GuardedHandler } from "./guard.js";
import type { NodeRequest, NodeResponse } from "./node-http.js";
import { Places } from "./places.js";
import { createRefusalTally, type RefusalTally } from "./refusal-tally.js";
import { refuse } from "./refusal.js";

export interface RequestGateOptions {
  /** How many requests may run. Default: that of {@link ApiLimits}. */
  readonly limits?: ApiLimits;
  /** Told of every request that is refused. Default: one that nobody reads. */
  readonly refusals?: RefusalTally;
}

/** What the requests of one connection that are running give back when they end. */
type Running = Set<() => void>;

/**
 * Puts a gate in front of a handler: requests never reach it that come while as many as may be are running, of their
 * connection (RESOURCE_EXHAUSTED) or in all (UNAVAILABLE). It stands behind the guard, so that those whom the guard turns away
 * take no place from others.
 *
 * A client that heeds what HTTP/2 has told it never has too many on its connection; HTTP/1.1 tells nothing, and there may be
 * any number of requests on the way.
 */
export function gate(
  handler: GuardedHandler,
  { limits = {}, refusals = createRefusalTally() }: RequestGateOptions = {},
): GuardedHandler {
  const { maxCalls, maxCallsPerConnection } = { ...defaultApiLimits, ...limits };
  const connections = new WeakMap<Socket | Http2Session, Running>();
  const places = new Places(maxCalls);

  const runningOn = (connection: Socket | Http2Session): Running => {
    const known = connections.get(connection);
    if (known !== undefined) return known;
    const running: Running = new Set();
    connections.set(connection, running);
    // An answer that waits behind another is not told of the end of its connection in every version of Node.
    connection.once("close", () => {
      for (const release of running) release();
      running.clear();
    });
    return running;
  };

  const begin = (running: Running, release: () => void, response: NodeResponse): void => {
    running.add(release);
    response.once("close", () => {
      if (running.delete(release)) release();
    });
  };

  return (request, response, caller = anybody) => {
    const connection = connectionOf(request);
    // It is over, and so is everything on it.
    if (connection === undefined || connection.destroyed) return;
    const running = runningOn(connection);
    if (running.size >= maxCallsPerConnection) {
      refusals.too_many_calls_of_connection += 1;
      const message = `${maxCallsPerConnection} requests of this connection are running already`;
      refuse(request, response, "resourceExhausted", message);
      return;
    }
    const place = places.take(caller);
    if ("release" in place) {
      begin(running, place.release, response);
      handler(request, response, caller);
    } else {
      refusals.too_many_calls += 1;
      response.setHeader("retry-after", 1);
      const message = `${place.count} requests${place.whose} are running already; try again`;
      refuse(request, response, "unavailable", message);
    }
  };
}

function connectionOf(request: NodeRequest): Socket | Http2Session | undefined {
  return "stream" in request ? request.stream.session : request.socket;
}

import type { ServerHttp2Stream } from "node:http2";
import { defaultApiLimits, type ApiLimits } from "./api-limits.js";
import { anybody, type Caller } from "./caller.js";
import type { GuardedHandler } from "./guard.js";
import { isEnding } from "./late-destroy.js";
import { carrierOf, connectionOf, type Connection, type NodeResponse } from "./node-http.js";
import { Places } from "./places.js";
import { createRefusalTally, type RefusalTally } from "./refusal-tally.js";
import { refuse } from "./refusal.js";
import type { GuardedStreamHandler } from "./stream-guard.js";

export interface RequestGateOptions {
  /** How many requests may run. Default: that of {@link ApiLimits}. */
  readonly limits?: ApiLimits;
  /** Told of every request that is refused. Default: one that nobody reads. */
  readonly refusals?: RefusalTally;
}

/** What the requests of one connection that are running give back when they end. */
type Running = Set<() => void>;

/** What lets no more requests through than may be running. */
export interface RequestGate {
  /** Puts it in front of a handler of requests. */
  readonly beforeRequests: (handler: GuardedHandler) => GuardedHandler;
  /** Puts it in front of a handler of streams: it admits none that is to be refused, which goes on as a request. */
  readonly beforeStreams: (handler: GuardedStreamHandler) => GuardedStreamHandler;
}

/**
 * Makes a gate: requests never reach the handlers behind it that come while as many as may be are running, of their
 * connection (RESOURCE_EXHAUSTED) or in all (UNAVAILABLE). It stands behind the guard, so that those whom the guard turns away
 * take no place from others.
 *
 * A client that heeds what HTTP/2 has told it never has too many on its connection; HTTP/1.1 tells nothing, and there may be
 * any number of requests on the way.
 */
export function createRequestGate({
  limits = {},
  refusals = createRefusalTally(),
}: RequestGateOptions = {}): RequestGate {
  const { maxCalls, maxCallsPerConnection } = { ...defaultApiLimits, ...limits };
  const connections = new WeakMap<Connection, Running>();
  const places = new Places(maxCalls);

  const runningOn = (connection: Connection): Running => {
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

  /** @returns what ends it before it closes. */
  const begin = (
    running: Running,
    release: () => void,
    carrier: NodeResponse | ServerHttp2Stream,
  ): (() => void) => {
    const leave = (): void => {
      if (running.delete(release)) release();
    };
    running.add(release);
    carrier.once("close", leave);
    return leave;
  };

  const beforeRequests: RequestGate["beforeRequests"] =
    (handler) =>
    (request, response, caller = anybody) => {
      const connection = connectionOf(carrierOf(request));
      // It is over, and so is everything on it.
      if (connection.destroyed) return;
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

  const beforeStreams: RequestGate["beforeStreams"] = (handler) => (stream, headers, admit, handOver) => {
    let leave: (() => void) | undefined;
    const admitOne = (): Caller | undefined => {
      if (isEnding(stream.session)) return undefined;
      const caller = admit();
      const running = runningOn(connectionOf(stream));
      if (caller === undefined || running.size >= maxCallsPerConnection) return undefined;
      const place = places.take(caller);
      if (!("release" in place)) return undefined;
      leave = begin(running, place.release, stream);
      return caller;
    };
    return handler(stream, headers, admitOne, () => {
      leave?.();
      handOver();
    });
  };

  return { beforeRequests, beforeStreams };
}

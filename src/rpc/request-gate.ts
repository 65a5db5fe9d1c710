import type { Http2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { defaultApiLimits, type ApiLimits } from "./api-limits.js";
import type { NodeHandler, NodeRequest, NodeResponse } from "./node-http.js";
import { createRefusalTally, type RefusalTally } from "./refusal-tally.js";
import { refuse } from "./refusal.js";
import type { StreamTaker } from "./stream-taker.js";

export interface RequestGateOptions {
  /** How many requests may run, and what their heads may come to. Default: that of {@link ApiLimits}. */
  readonly limits?: ApiLimits;
  /** Told of every request that is refused. Default: one that nobody reads. */
  readonly refusals?: RefusalTally;
}

/** The requests of one connection that are running. */
interface Running {
  count: number;
}

/** What lets no more requests through than may be running. */
export interface RequestGate {
  /** Puts it in front of a handler. */
  readonly beforeRequests: (handler: NodeHandler) => NodeHandler;
  /** Puts it in front of who takes streams: what is to be refused is not shown to it, and so goes on as a request. */
  readonly beforeStreams: (taker: StreamTaker) => StreamTaker;
}

/**
 * Makes a gate: requests with too large a head never reach the handlers behind it, nor do those that come while as many as may
 * be are running, of their connection (RESOURCE_EXHAUSTED) or in all (UNAVAILABLE).
 *
 * A client that heeds what HTTP/2 has told it never has too many on its connection; HTTP/1.1 tells nothing, and there may be
 * any number of requests on the way.
 */
export function createRequestGate({
  limits = {},
  refusals = createRefusalTally(),
}: RequestGateOptions = {}): RequestGate {
  const { maxHeaders, maxHeaderBytes, maxCalls, maxCallsPerConnection } = { ...defaultApiLimits, ...limits };
  const connections = new WeakMap<Socket | Http2Session, Running>();
  let runningCount = 0;

  const runningOn = (connection: Socket | Http2Session): Running => {
    const known = connections.get(connection);
    if (known !== undefined) return known;
    const running = { count: 0 };
    connections.set(connection, running);
    // An answer that waits behind another is not told of the end of its connection in every version of Node.
    connection.once("close", () => {
      runningCount -= running.count;
      running.count = 0;
    });
    return running;
  };

  /** @returns what ends it before it closes. */
  const begin = (running: Running, carrier: NodeResponse | ServerHttp2Stream): (() => void) => {
    running.count += 1;
    runningCount += 1;
    let isOver = false;
    const leave = (): void => {
      if (isOver || running.count === 0) return;
      isOver = true;
      running.count -= 1;
      runningCount -= 1;
    };
    carrier.once("close", leave);
    return leave;
  };

  const beforeRequests: RequestGate["beforeRequests"] = (handler) => (request, response) => {
    const connection = connectionOf(request);
    // It is over, and so is everything on it.
    if (connection === undefined || connection.destroyed) return;
    const { count, bytes } = measureHead(request.rawHeaders);
    const running = runningOn(connection);
    if (count > maxHeaders || bytes > maxHeaderBytes) {
      refusals.large_headers += 1;
      const excess =
        count > maxHeaders
          ? `${count} headers, at most ${maxHeaders} are allowed`
          : `${bytes} bytes of headers, at most ${maxHeaderBytes} are allowed`;
      refuse(request, response, "largeHeaders", excess);
    } else if (running.count >= maxCallsPerConnection) {
      refusals.too_many_calls_of_connection += 1;
      const message = `${maxCallsPerConnection} requests of this connection are running already`;
      refuse(request, response, "resourceExhausted", message);
    } else if (runningCount >= maxCalls) {
      refusals.too_many_calls += 1;
      response.setHeader("retry-after", 1);
      refuse(request, response, "unavailable", `${maxCalls} requests are running already; try again`);
    } else {
      begin(running, response);
      handler(request, response);
    }
  };

  const beforeStreams: RequestGate["beforeStreams"] = (taker) => (stream, head, handOver) => {
    const { session } = stream;
    if (session === undefined || session.destroyed) return false;
    const { count, bytes } = measureHead(head.rawHeaders);
    const running = runningOn(session);
    const isFull = running.count >= maxCallsPerConnection || runningCount >= maxCalls;
    if (isFull || count > maxHeaders || bytes > maxHeaderBytes) return false;
    const leave = begin(running, stream);
    const isTaken = taker(stream, head, () => {
      leave();
      handOver();
    });
    if (!isTaken) leave();
    return isTaken;
  };

  return { beforeRequests, beforeStreams };
}

function connectionOf(request: NodeRequest): Socket | Http2Session | undefined {
  return "stream" in request ? request.stream.session : request.socket;
}

/** HTTP/2's own fields (`:path` and so on) are no headers, as the line of a request is none in HTTP/1.1. */
function measureHead(rawHeaders: readonly string[]): { readonly count: number; readonly bytes: number } {
  let ownCount = 0;
  let bytes = 0;
  let isName = true;
  for (const text of rawHeaders) {
    bytes += text.length;
    if (isName && text.startsWith(":")) ownCount += 1;
    isName = !isName;
  }
  return { count: rawHeaders.length / 2 - ownCount, bytes };
}

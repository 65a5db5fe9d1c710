import { Code, ConnectError, createConnectRouter, type ConnectRouter } from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { silentLogger, type Logger } from "../log/logger.js";
import { errorCodeOf } from "../net/system-error.js";
import { contextValuesOf } from "./call-context.js";
import { CallTally, callTallyKey, tallyCalls } from "./call-tally.js";
import { AnswerQueue } from "./answer-queue.js";
import { defaultApiLimits, type ApiLimits } from "./api-limits.js";
import { anybody, holderOf, type Caller } from "./caller.js";
import { isCall } from "./content-type.js";
import { dropEndlessDeadlines } from "./deadline.js";
import { watchDelivery } from "./delivery.js";
import { withPlainGrpcMessage } from "./grpc-message.js";
import { fromGrpcWebText, toGrpcWebText } from "./grpc-web-text.js";
import type { GuardedHandler } from "./guard.js";
import { createCheapGzip } from "./gzip.js";
import { createHotCalls } from "./hot/hot-calls.js";
import type { HotMethod } from "./hot/hot-method.js";
import { serveHotRequest, serveHotStream, type ServeHotOptions } from "./hot/serve-hot.js";
import {
  answerCarrierOf,
  connectionOf,
  pathOf,
  type NodeHandler,
  type NodeRequest,
  type NodeResponse,
} from "./node-http.js";
import { paceAnswer, type PacedAnswerOptions } from "./paced-answer.js";
import { createRefusalTally, type RefusalReason, type RefusalTally } from "./refusal-tally.js";
import { refuse } from "./refusal.js";
import { bodyOf, wasPutBack } from "./request-body.js";
import { LargeRequests, watchRequestSize } from "./request-size.js";
import type { GuardedStreamHandler } from "./stream-guard.js";

export interface CallHandlerOptions {
  readonly routes: (router: ConnectRouter) => void;
  /** What a call may come to. A larger message is RESOURCE_EXHAUSTED. Default: that of {@link ApiLimits}. */
  readonly limits?: ApiLimits;
  /** Methods of the routes that are also served on a shorter way. Default: none. */
  readonly hotMethods?: readonly HotMethod[];
  /** Whatever is served beside the calls, by its path. Default: nothing. */
  readonly pages?: ReadonlyMap<string, NodeHandler>;
  /** Is given the tally of each method that the routes have. Default: nobody wants to know. */
  readonly onMethod?: (tally: CallTally) => void;
  /** Told of every request that is refused. Default: one that nobody reads. */
  readonly refusals?: RefusalTally;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** Serves what the guard lets pass. */
export interface CallHandler {
  readonly onRequest: GuardedHandler;
  /** Takes a call from a stream of HTTP/2, if it is one that can be served so. */
  readonly onStream: GuardedStreamHandler;
}

/**
 * Serves the routes to gRPC, gRPC-Web and Connect clients over Node's HTTP/1.1 and HTTP/2 servers. Whatever else is asked
 * for is refused in the caller's own protocol: clients probe for methods and take only a proper UNIMPLEMENTED for a no.
 *
 * It stands in for connect-node's own adapter, which throws on a malformed Host, writes to the console, cuts a caller
 * off who is still sending when its request is refused, and takes endless deadlines for expired ones.
 */
export function createCallHandler({
  routes,
  limits = {},
  hotMethods = [],
  pages = new Map(),
  onMethod = () => undefined,
  refusals = createRefusalTally(),
  logger = silentLogger,
}: CallHandlerOptions): CallHandler {
  const { maxRequestBytes, maxQueuedAnswerBytes } = { ...defaultApiLimits, ...limits };
  const largeRequests = new LargeRequests();
  const surroundings = {
    ...{ maxRequestBytes, largeRequests, refusals },
    pace: {
      queue: new AnswerQueue(maxQueuedAnswerBytes),
      onNoRoom: () => {
        refusals.queued_answers += 1;
      },
    },
  };
  const compression = createCheapGzip(largeRequests.add);
  const router = createConnectRouter({
    acceptCompression: [compression],
    readMaxBytes: maxRequestBytes,
    interceptors: [tallyCalls],
  });
  routes(router);
  const methods = new Map(
    router.handlers.map((handler) => {
      const tally = new CallTally(handler.service.typeName, handler.method.name);
      onMethod(tally);
      return [handler.requestPath, { handler, tally }];
    }),
  );
  const services = new Set(router.handlers.map(({ service }) => service.typeName));

  const findHot = createHotCalls({
    methods: hotMethods,
    maxRequestBytes,
    compression,
    tallyOf: (path) => methods.get(path)?.tally,
  });
  const hotOptions: ServeHotOptions = {
    ...{ maxRequestBytes, pace: surroundings.pace },
    onBroken: () => (refusals.unreadable_call += 1),
    onFailed: (error) => {
      logger.warn("call failed", { error: String(error) });
    },
  };
  const onAnswerError = (error: Error): void => {
    logger.debug("answer failed", { error: error.message });
  };

  const onStream: GuardedStreamHandler = (stream, headers, admit, handOver) => {
    const call = findHot({ verb: headers[":method"], path: headers[":path"], headers });
    const caller = call && admit();
    if (call === undefined || caller === undefined) return false;
    stream.on("error", onAnswerError);
    serveHotStream(stream, { call, caller, handOver }, hotOptions);
    return true;
  };

  const onRequest: GuardedHandler = (request, response, caller = anybody) => {
    // A caller who hangs up is normal, and what the call itself makes of it is in its answer.
    request.on("error", (error) => {
      logger.debug("request failed", { error: error.message });
    });
    response.on("error", onAnswerError);
    const path = pathOf(request);
    const method = methods.get(path);
    if (method === undefined) {
      const page = pages.get(path);
      if (page !== undefined) page(request, response);
      else refusals[refuseUnknown(request, response, path, services)] += 1;
      return;
    }
    const callSlowly = (): void => {
      call(method, surroundings, caller, request, response).catch((error: unknown) => {
        const { code, rawMessage, cause } = ConnectError.from(error);
        // Connect takes only some of the ways to hang up for what they are.
        const isGone = code === Code.Aborted || errorCodeOf(cause) === "EPIPE";
        logger[isGone ? "debug" : "warn"]("call failed", { path, error: rawMessage });
        response.destroy();
      });
    };
    const hotCall = findHot({ verb: request.method, path: request.url, headers: request.headers });
    if (hotCall === undefined || wasPutBack(request)) callSlowly();
    else serveHotRequest(request, response, { call: hotCall, caller, handOver: callSlowly }, hotOptions);
  };

  return { onRequest, onStream };
}

/** A method of a service that is served. */
interface ServedMethod {
  readonly handler: UniversalHandler;
  readonly tally: CallTally;
}

/** What all calls share. */
interface CallSurroundings {
  readonly maxRequestBytes: number;
  readonly largeRequests: LargeRequests;
  readonly refusals: RefusalTally;
  /** How their answers are written. */
  readonly pace: Omit<PacedAnswerOptions, "holder">;
}

async function call(
  { handler, tally }: ServedMethod,
  { maxRequestBytes: maxBytes, largeRequests, refusals, pace }: CallSurroundings,
  caller: Caller,
  request: NodeRequest,
  response: NodeResponse,
): Promise<void> {
  const carrier = answerCarrierOf(request, response);
  const values = contextValuesOf({
    caller,
    connection: connectionOf(carrier.carrier),
    delivery: watchDelivery(request, response),
    queue: pace.queue,
  }).set(callTallyKey, tally);
  const universal = universalRequestFromNodeRequest(request, response, undefined, values);
  dropEndlessDeadlines(universal.header);
  const asked = { ...universal, body: bodyOf(request) };
  const inBinary = fromGrpcWebText(asked);
  const { add: onLarge } = largeRequests;
  const size = { maxBytes, onLarge };
  // A stream of messages is a call before the first of them.
  const isUnary = handler.method.methodKind === "unary";
  const watched = isUnary ? watchRequestSize(inBinary.body, request.headers, size) : inBinary.body;
  const answer = await handler({ ...inBinary, body: watched }).finally(() => {
    // Every handler waits for the beginning of its answer, and so for the call to begin.
    if (values.get(callTallyKey) === undefined) return;
    refusals[largeRequests.takeOne() ? "large_request" : "unreadable_call"] += 1;
  });
  const written = toGrpcWebText(asked, answer);
  const ownPace = { holder: holderOf(values), ...pace };
  const paced = written.body && { body: paceAnswer(written.body, carrier, ownPace) };
  await universalResponseToNodeResponse(withPlainGrpcMessage({ ...written, ...paced }), response);
}

/** @returns the reason. */
function refuseUnknown(
  request: NodeRequest,
  response: NodeResponse,
  path: string,
  services: ReadonlySet<string>,
): RefusalReason {
  const [service = "", method = ""] = path.slice(1).split("/");
  if (services.has(service)) {
    refuse(request, response, "unimplemented", `${service} has no method ${JSON.stringify(method)}`);
    return "unknown_method";
  }
  if (isCall(request.headers["content-type"] ?? "")) {
    refuse(request, response, "unknownService", `unknown service ${JSON.stringify(service)}`);
    return "unknown_service";
  }
  refuse(request, response, "notFound", `nothing is served at ${JSON.stringify(path)}`);
  return "unknown_path";
}

import { request as httpRequest } from "node:http";
import type { Agent, IncomingMessage, ServerResponse } from "node:http";
import { resetConnection } from "../../net/reset.js";
import { errorCodeOf, toError } from "../../net/system-error.js";
import { endToEndHeaders } from "./http-headers.js";
import type { HttpTarget } from "./http-target.js";
import { RejectedError } from "../rejection.js";

/** A request of a client and what it is answered with. */
export interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: HttpTarget;
  readonly user: string | undefined;
  /** Aborts if the rest of the request never comes. */
  readonly broken: AbortSignal;
}

const noBytes = Buffer.alloc(0);

/** The largest head that an origin may answer with, in bytes. */
const maxHeadBytes = 64 * 1024;

/** The origin had closed a kept connection when the next request came, which may be sent again. */
export class StaleConnectionError extends Error {
  override readonly name = "StaleConnectionError";

  constructor() {
    super("kept connection was closed");
  }
}

/**
 * Passes one request on to its origin, and its answer back. States: no answer yet → answering → over.
 *
 * Resolves when the exchange is over: answered in full, or cut.
 *
 * @param agent - Where the connection to the origin comes from.
 * @throws RejectedError if the origin gave no answer; StaleConnectionError if it gave none because the connection was
 *   kept too long, and the request may be sent again. The client has no answer yet then.
 */
export async function passOn(exchange: HttpExchange, agent: Agent): Promise<void> {
  const { request, response, target, broken } = exchange;
  return new Promise((resolve, reject) => {
    const upstream = httpRequest({
      agent,
      host: target.origin.host,
      port: target.origin.port,
      method: request.method,
      path: target.path,
      headers: [...endToEndHeaders(request.rawHeaders, ["host"]), "Host", target.host, ...framing(request)],
      insecureHTTPParser: false,
      maxHeaderSize: maxHeadBytes,
    });
    upstream.maxHeadersCount = 0;
    let isHeardFrom = false;
    let answer: IncomingMessage | undefined;

    upstream.on("information", () => {
      isHeardFrom = true;
    });
    if (isWaitingForContinue(request)) {
      upstream.once("continue", () => {
        response.writeContinue();
      });
    }
    upstream.on("response", (arrived) => {
      isHeardFrom = true;
      try {
        sendAnswer(arrived, request, response);
        answer = arrived;
      } catch (error) {
        // Or it has a status or a reason phrase that Node reads and does not write.
        upstream.destroy(toError(error));
      }
    });
    upstream.on("error", onFailure);
    upstream.on("close", onFailure);
    // The client is gone, or has its answer: what it still sends of its request is of no use.
    response.on("close", onOver);
    request.on("error", ignore);
    broken.addEventListener("abort", () => upstream.destroy());
    // The origin may have something to say before there is a body.
    if (!request.complete && request.readableLength === 0) upstream.write(noBytes);
    request.pipe(upstream);

    /** Without an answer, or with one that came early: then the rest of the request has nowhere to go. */
    function onFailure(cause?: Error): void {
      request.unpipe(upstream);
      if (answer !== undefined) {
        request.resume();
        return;
      }
      response.off("close", onOver);
      if (request.socket.destroyed) {
        resolve();
        return;
      }
      const isStale = upstream.reusedSocket && !isHeardFrom && isConnectionLost(cause);
      if (isStale && !broken.aborted && isRepeatable(request)) reject(new StaleConnectionError());
      else reject(toRejectedError(target, cause));
    }

    function onOver(): void {
      request.unpipe(upstream);
      request.resume();
      if (!upstream.writableFinished || answer?.complete !== true) upstream.destroy();
      resolve();
    }
  });
}

/** How the body is delimited, in headers of our own, whatever `Connection` names. */
function framing({ headers, method = "" }: IncomingMessage): string[] {
  if (headers["transfer-encoding"] !== undefined) return ["Transfer-Encoding", "chunked"];
  const length = headers["content-length"];
  if (length !== undefined) return ["Content-Length", length];
  // Node would announce a body for every method but these.
  return /^(GET|HEAD|DELETE|OPTIONS|TRACE)$/.test(method) ? [] : ["Content-Length", "0"];
}

function sendAnswer(answer: IncomingMessage, request: IncomingMessage, response: ServerResponse): void {
  const { statusCode = 502, statusMessage = "", rawHeaders, headers } = answer;
  if (statusCode === 101) throw new Error("it switches protocols unasked");
  const length = headers["transfer-encoding"] === undefined ? headers["content-length"] : undefined;
  const ownFraming = length === undefined ? [] : ["Content-Length", length];
  response.sendDate = false;
  response.writeHead(statusCode, statusMessage, [...endToEndHeaders(rawHeaders), ...ownFraming]);
  // The head goes out now, and in one piece with what has arrived of the body. (flushHeaders() would write it in UTF-8.)
  response.cork();
  response.write(noBytes);
  process.nextTick(() => {
    response.uncork();
  });
  response.on("error", ignore);
  // Half an answer must not look like a whole one.
  answer.on("error", () => {
    resetConnection(request.socket);
  });
  const { socket: connection } = answer;
  answer.pipe(response, { end: false });
  answer.on("end", () => {
    // Node takes a reset for the end where nothing else delimits the answer.
    const endsWithConnection = length === undefined && headers["transfer-encoding"] === undefined;
    if (endsWithConnection && connection.errored !== null) resetConnection(request.socket);
    else response.end();
  });
}

/** Whether the client holds its body back until the origin has said that it wants it (RFC 9110 §10.1.1). */
function isWaitingForContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion !== "1.0" && /\b100-continue\b/i.test(headers.expect ?? "");
}

/** Whether sending a request twice does no more than sending it once (RFC 9110 §9.2.2), and it is still all there. */
function isRepeatable(request: IncomingMessage): boolean {
  return /^(GET|HEAD|OPTIONS|TRACE)$/.test(request.method ?? "") && framing(request).length === 0;
}

function isConnectionLost(cause: Error | undefined): boolean {
  const code = errorCodeOf(cause);
  return cause === undefined || code === "ECONNRESET" || code === "EPIPE";
}

function toRejectedError({ host }: HttpTarget, cause: Error | undefined): RejectedError {
  if (cause instanceof RejectedError) return cause;
  const message = `no answer from ${host}: ${cause?.message ?? "connection closed"}`;
  return new RejectedError({ code: "failed", message }, { cause });
}

function ignore(): void {
  // Errors are followed by the close that ends the exchange.
}

import type { IncomingMessage, ServerResponse } from "node:http";
import {
  constants,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type Http2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { Socket } from "node:net";

/** A request as Node's HTTP/1.1 and HTTP/2 servers hand it over. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** Answers one request. It must not throw. */
export type NodeHandler = (request: NodeRequest, response: NodeResponse) => void;

/** Emitted by an HTTP/2 stream before we reset it, where this is not to count against its connection. */
export const sparedEvent = Symbol("spared");

/** The host that a request names: `:authority` or `Host`, in HTTP/2 and HTTP/1.1. */
export function authorityOf(request: NodeRequest): string | undefined {
  return "authority" in request ? request.authority : request.headers.host;
}

/** The path of a request, without its query. */
export function pathOf(request: NodeRequest): string {
  const [path = ""] = (request.url ?? "").split("?", 1);
  return path;
}

/**
 * What carries a request and its answer, and is destroyed when either is cut off. An answer that waits behind another on
 * its HTTP/1.1 connection is not told of the connection's end in every version of Node.
 */
export function carrierOf(request: NodeRequest): Socket | ServerHttp2Stream {
  return "stream" in request ? request.stream : request.socket;
}

/** What an answer goes out by. */
export interface AnswerCarrier {
  /** What is destroyed when the answer is cut off: {@link carrierOf} its request. */
  readonly carrier: Socket | ServerHttp2Stream;
  /** What finishes when the last byte of it was taken. (In HTTP/2 the response's own "finish" comes with any close.) */
  readonly answer: NodeResponse | ServerHttp2Stream;
}

/** What the answer to a request goes out by. */
export function answerCarrierOf(request: NodeRequest, response: NodeResponse): AnswerCarrier {
  if ("stream" in request) return streamCarrier(request.stream);
  return { carrier: request.socket, answer: response };
}

/** The same for an answer on a stream of HTTP/2 of which no request was made. */
export function streamCarrier(stream: ServerHttp2Stream): AnswerCarrier {
  return { carrier: stream, answer: stream };
}

/** What stands for a connection. */
export type Connection = Socket | Http2Session | ServerHttp2Stream;

/** The connection of what is carried. A stream of HTTP/2 whose session is gone has only itself. */
export function connectionOf(carrier: Socket | ServerHttp2Stream): Connection {
  return carrier instanceof Socket ? carrier : (carrier.session ?? carrier);
}

/** Ends an answer in the middle, so that the other side takes it for what it is. In HTTP/1.1 the connection ends with it. */
export function cutOff(carrier: Socket | ServerHttp2Stream): void {
  // In HTTP/2, destroy() alone would say that there was no error.
  if (carrier instanceof Socket) carrier.destroy();
  else carrier.close(constants.NGHTTP2_INTERNAL_ERROR);
}

import { Http2ServerResponse } from "node:http2";
import { isGrpc, isGrpcWeb, isGrpcWebText } from "./content-type.js";
import { encodeGrpcMessage } from "./grpc-message.js";
import type { NodeRequest, NodeResponse } from "./node-http.js";

/**
 * The codes with which we answer before a call is one: numbers of gRPC, names and HTTP statuses of Connect. A service that
 * is not served is an unimplemented one, but its path leads nowhere: Connect's own conformance suite wants a 404.
 */
const codes = {
  invalidArgument: { grpc: 3, connect: "invalid_argument", http: 400 },
  notFound: { grpc: 5, connect: "not_found", http: 404 },
  permissionDenied: { grpc: 7, connect: "permission_denied", http: 403 },
  resourceExhausted: { grpc: 8, connect: "resource_exhausted", http: 429 },
  largeHeaders: { grpc: 8, connect: "resource_exhausted", http: 431 },
  unimplemented: { grpc: 12, connect: "unimplemented", http: 501 },
  unknownService: { grpc: 12, connect: "unimplemented", http: 404 },
  wrongHttpMethod: { grpc: 12, connect: "unimplemented", http: 405 },
  unavailable: { grpc: 14, connect: "unavailable", http: 503 },
  unauthenticated: { grpc: 16, connect: "unauthenticated", http: 401 },
} as const;
export type RefusalCode = keyof typeof codes;

/**
 * Answers a request that is no call of ours, in the words of whatever protocol it came in: gRPC clients get a status,
 * gRPC-Web clients a status in the body, everybody else a line of JSON as Connect clients expect it.
 */
export function refuse(
  request: NodeRequest,
  response: NodeResponse,
  code: RefusalCode,
  message: string,
): void {
  // Node resets the HTTP/2 stream of a request that nobody reads as soon as it is answered, and the reset can overtake
  // the answer.
  request.resume();
  const contentType = request.headers["content-type"] ?? "";
  const { grpc, connect, http } = codes[code];
  if (isGrpcWeb(contentType)) {
    const trailers = grpcWebTrailers(grpc, message);
    const body = isGrpcWebText(contentType) ? Buffer.from(trailers.toString("base64")) : trailers;
    respond(response, 200, { "content-type": contentType }, body);
  } else if (isGrpc(contentType)) {
    respondWithStatus(response, {
      "content-type": contentType,
      "grpc-status": `${grpc}`,
      "grpc-message": encodeGrpcMessage(message),
    });
  } else {
    // RFC 9110 §11.6.1: every 401 says what to come with.
    if (http === 401) response.setHeader("www-authenticate", "Bearer");
    const body = Buffer.from(`${JSON.stringify({ code: connect, message })}\n`);
    respond(response, http, { "content-type": "application/json" }, body);
  }
}

function respond(
  response: NodeResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader("content-length", body.length);
  response.statusCode = status;
  response.end(body);
}

/** A gRPC answer that is nothing but its trailers. Over HTTP/2 its only frame must end the stream, or grpc-go rejects it. */
function respondWithStatus(response: NodeResponse, headers: Readonly<Record<string, string>>): void {
  if (response instanceof Http2ServerResponse) {
    // A caller can cancel in the same breath in which it calls; to answer would throw then.
    if (response.stream.destroyed || response.stream.closed) return;
    response.stream.respond({ ":status": 200, ...response.getHeaders(), ...headers }, { endStream: true });
  } else {
    respond(response, 200, headers, Buffer.alloc(0));
  }
}

/** A gRPC-Web trailer frame: flag 0x80, four bytes of length, then header lines. */
function grpcWebTrailers(status: number, message: string): Buffer {
  const lines = Buffer.from(`grpc-status: ${status}\r\ngrpc-message: ${encodeGrpcMessage(message)}\r\n`);
  const head = Buffer.alloc(5);
  head.writeUInt8(0x80, 0);
  head.writeUInt32BE(lines.length, 1);
  return Buffer.concat([head, lines]);
}

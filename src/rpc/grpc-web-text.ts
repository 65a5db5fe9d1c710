import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { decodeBase64, encodeBase64 } from "./base64-stream.js";
import { isGrpcWeb, isGrpcWebText } from "./content-type.js";

/** A request whose body is bytes: one that came over HTTP. */
export type ByteRequest = UniversalServerRequest & { readonly body: AsyncIterable<Uint8Array> };

/**
 * A request in gRPC-Web's text form, which is what protoc-gen-grpc-web makes clients send, as one in its binary form, for
 * which there are handlers. Its body is decoded as it is read, so that limits apply to what was decoded. Parameters of its
 * type, such as the charset that HTTP clients give a text by themselves, are dropped: the handlers know none. Other requests
 * stay as they are.
 *
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
 */
export function fromGrpcWebText(request: ByteRequest): ByteRequest {
  const contentType = contentTypeOf(request.header);
  if (!isGrpcWebText(contentType)) return request;
  const header = new Headers(request.header);
  header.set("content-type", contentType.replace(/-text/i, "").replace(/\s*;.*$/s, ""));
  return { ...request, header, body: decodeBase64(request.body) };
}

/** The answer to a request in the form in which that came. */
export function toGrpcWebText(
  request: ByteRequest,
  answer: UniversalServerResponse,
): UniversalServerResponse {
  const contentType = contentTypeOf(request.header);
  if (!isGrpcWebText(contentType) || !isGrpcWeb(contentTypeOf(answer.header))) return answer;
  const header = new Headers(answer.header);
  header.set("content-type", contentType);
  return { ...answer, header, ...(answer.body && { body: encodeBase64(answer.body) }) };
}

function contentTypeOf(header: UniversalServerResponse["header"]): string {
  return new Headers(header).get("content-type") ?? "";
}

/** Whether a request is gRPC-Web's, binary or text. */
export function isGrpcWeb(contentType: string): boolean {
  return /^application\/grpc-web(-text)?([+;]|$)/i.test(contentType);
}

/** Whether a request is gRPC-Web's text form, whose bodies are base64. */
export function isGrpcWebText(contentType: string): boolean {
  return /^application\/grpc-web-text([+;]|$)/i.test(contentType);
}

/** Whether a request is gRPC's. */
export function isGrpc(contentType: string): boolean {
  return /^application\/grpc([+;]|$)/i.test(contentType);
}

/** Whether the messages of a request stand in envelopes, which say how long they are. */
export function isEnveloped(contentType: string): boolean {
  return isGrpc(contentType) || isGrpcWeb(contentType) || /^application\/connect\+/i.test(contentType);
}

/** Whether a request is a call in any of the protocols that we serve. */
export function isCall(contentType: string): boolean {
  return (
    isGrpc(contentType) ||
    isGrpcWeb(contentType) ||
    /^application\/(connect\+)?(json|proto)([;]|$)/i.test(contentType)
  );
}

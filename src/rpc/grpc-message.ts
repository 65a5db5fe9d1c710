import type { UniversalServerResponse } from "@connectrpc/connect/protocol";

/**
 * Writes a `grpc-message`: printable ASCII stays as it is; the percent sign, spaces at the ends and everything else are
 * percent-encoded as UTF-8 (gRPC over HTTP/2, "Percent-Encoded"). Encoding more is allowed too, but grpc-js does not
 * decode what a whole URL may contain, and shows `alice%40example.com`.
 *
 * @throws URIError for half a surrogate pair.
 */
export function encodeGrpcMessage(text: string): string {
  return text.replaceAll(/^ +| +$|[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent);
}

/** The same answer with its `grpc-message`, which connect-es encodes like a part of a URL, encoded as above. */
export function withPlainGrpcMessage(answer: UniversalServerResponse): UniversalServerResponse {
  const { trailer } = answer;
  if (trailer === undefined) return answer;
  return {
    ...answer,
    // Read when the body has ended: the message is not there before.
    get trailer() {
      const message = trailer.get("grpc-message");
      if (message !== null) trailer.set("grpc-message", encodeGrpcMessage(decodeURIComponent(message)));
      return trailer;
    },
  };
}

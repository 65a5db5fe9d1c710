import type { UniversalServerResponse } from "@connectrpc/connect/protocol";

/** Longest message, in characters: encoded, it has to fit into one block of HTTP/2 headers. */
const maxMessageLength = 2_000;

/**
 * Writes a `grpc-message`: printable ASCII stays as it is; the percent sign, spaces at the ends and everything else are
 * percent-encoded as UTF-8 (gRPC over HTTP/2, "Percent-Encoded"). Encoding more is allowed too, but grpc-js does not
 * decode what a whole URL may contain, and shows `alice%40example.com`. What is longer than 2,000 characters is cut.
 *
 * @throws URIError for half a surrogate pair.
 */
export function encodeGrpcMessage(text: string): string {
  const message = text.length > maxMessageLength ? `${cut(text)}…` : text;
  return message.replaceAll(/^ +| +$|[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent);
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

/** By code points, since half a surrogate pair cannot be encoded. */
function cut(text: string): string {
  return Array.from(text.slice(0, maxMessageLength)).slice(0, -1).join("");
}

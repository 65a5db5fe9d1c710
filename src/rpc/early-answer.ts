import { constants } from "node:http2";
import type { NodeRequest, NodeResponse } from "./node-http.js";

/** How long after an early answer its HTTP/2 stream is closed: at once, the trailers would be lost. */
const closeDelayMs = 20;

/**
 * Frees a caller whose answer is out while it is still sending, and who would wait for ever for somebody to read the
 * rest. In HTTP/2 the stream is closed; in HTTP/1.1 the rest is read and dropped, for as long as a request may take.
 */
export function freeCallerAfter(request: NodeRequest, response: NodeResponse): void {
  if (!("stream" in request)) {
    response.once("finish", () => {
      request.resume();
    });
    return;
  }
  const { stream } = request;
  // The response's own "finish" comes only with the end of the stream.
  stream.once("finish", () => {
    if (request.complete) return;
    const timer = setTimeout(() => {
      stream.close(constants.NGHTTP2_NO_ERROR);
    }, closeDelayMs);
    stream.once("close", () => {
      clearTimeout(timer);
    });
  });
}

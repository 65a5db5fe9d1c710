import type { IncomingMessage } from "node:http";
import { constants } from "node:http2";
import { Socket } from "node:net";
import type { NodeRequest, NodeResponse } from "./node-http.js";

/** How long after an early answer its HTTP/2 stream is closed: at once, the trailers would be lost. */
const closeDelayMs = 20;
/** How much of an HTTP/1.1 request is dropped behind its answer, in bytes: far more than any call of ours may have. */
const maxDroppedBytes = 16 * 1024 * 1024;

/**
 * Frees a caller who is still sending when it is answered, and who would wait for ever for somebody to read the rest.
 *
 * In HTTP/2 the stream is closed behind the answer. HTTP/1.1 has no such word, so there the rest is read and dropped, for
 * as long as a request may take; after 16 MiB the connection is cut. That begins before the answer is out, because many a
 * client reads nothing of it before it has sent all.
 */
export function freeCallerAfter(request: NodeRequest, response: NodeResponse): void {
  if (!("stream" in request)) {
    response.once("prefinish", () => {
      dropRest(request);
    });
    return;
  }
  const { stream } = request;
  // The response's own "finish" comes only with the end of the stream.
  stream.once("finish", () => {
    if (request.complete) return;
    const timer = setTimeout(() => {
      stream.close(constants.NGHTTP2_NO_ERROR);
      // Node keeps a stream that ends so until it is read to its end, and with it all that has come of it, and its session.
      request.resume();
    }, closeDelayMs);
    stream.once("close", () => {
      clearTimeout(timer);
    });
  });
}

/** Node drops the rest of a request that nobody has begun to read, but would do so without a bound. */
function dropRest(request: IncomingMessage): void {
  const { socket } = request;
  let droppedBytes = 0;
  request.on("data", (chunk: Buffer) => {
    droppedBytes += chunk.length;
    if (droppedBytes > maxDroppedBytes) socket.destroy();
  });
  request.resume();
  if (!request.complete) closeBehind(request);
}

/**
 * Has Node close a connection behind its last answer not before the request is read to its end: bytes that nobody read make
 * the kernel send a reset, which can overtake the answer.
 */
function closeBehind(request: IncomingMessage): void {
  const { socket } = request;
  const close = (): void => {
    Socket.prototype.destroySoon.call(socket);
  };
  socket.destroySoon = () => {
    request.once("end", close);
  };
  request.once("end", () => {
    // The method of the socket's class shows again.
    Reflect.deleteProperty(socket, "destroySoon");
  });
}

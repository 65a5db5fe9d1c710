import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { handleWhenWanted } from "./newcomer.js";
import type { NodeHandler } from "./node-http.js";

/** The head of a request as a stream of HTTP/2 begins with it. */
export interface StreamHead {
  readonly headers: IncomingHttpHeaders;
  /** All of them as they came: name, value, name, value. */
  readonly rawHeaders: readonly string[];
}

/**
 * Is shown a stream of HTTP/2 before a request is made of it, and may take it. It must not throw.
 *
 * @param handOver - Makes a request of a stream that it has taken and then does not want.
 * @returns whether it has taken the stream.
 */
export type StreamTaker = (stream: ServerHttp2Stream, head: StreamHead, handOver: () => void) => boolean;

/** Takes no stream. */
export function takesNone(): boolean {
  return false;
}

/**
 * Has the streams of a server shown to who may take them, and makes requests of those that are not taken, of which it has no
 * handler itself.
 */
export function showStreams(server: Http2Server, take: StreamTaker, onRequest: NodeHandler): void {
  // It has no connections: it makes requests of the streams that it is handed.
  let isBegun = false;
  const requests = createServer((request, response) => {
    const handle = (): void => {
      onRequest(request, response);
    };
    handleWhenWanted(request.stream, handle, { isBegun });
  });
  // Node's types do not know the last argument.
  const onStream = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    flags: number,
    rawHeaders: readonly string[],
  ): void => {
    const makeRequest = (): void => {
      requests.emit("stream", stream, headers, flags, rawHeaders);
    };
    const handOver = (): void => {
      isBegun = true;
      makeRequest();
      isBegun = false;
    };
    // Whoever waits to be told to go on is told so when a request is made of it.
    const isWaiting = headers.expect !== undefined;
    if (isWaiting || !take(stream, { headers, rawHeaders }, handOver)) makeRequest();
  };
  server.on("stream", onStream);
}

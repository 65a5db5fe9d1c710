import type { IncomingMessage } from "node:http";
import { constants, type ServerHttp2Stream } from "node:http2";
import { resetConnection } from "../net/reset.js";
import { isEnding } from "./late-destroy.js";
import { sparedEvent, type NodeRequest, type NodeResponse } from "./node-http.js";
import type { TrustedConnections } from "./trusted-connections.js";

/**
 * Ends a request without a right secret without an answer, where too many such wait to be answered: an answer at once would
 * have them guess as fast as they can ask. Where it can, it has each such guess cost its connection.
 *
 * Many callers may share a connection, behind a reverse proxy. One by which a right secret has come goes on for these, and
 * only the wrong request is cut.
 */
export function cutGuess(request: NodeRequest, response: NodeResponse, trusted: TrustedConnections): void {
  if ("stream" in request) cutHttp2(request.stream, trusted);
  else cutHttp1(request, response, trusted);
}

function cutHttp2(stream: ServerHttp2Stream, trusted: TrustedConnections): void {
  const { session } = stream;
  if (session === undefined || isEnding(session)) return;
  if (trusted.has(session)) {
    // What others do is not to be held against the session.
    stream.emit(sparedEvent);
    stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    return;
  }
  session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  session.destroy();
}

/** HTTP/1.1 cannot leave an answer out and go on. */
function cutHttp1(request: IncomingMessage, response: NodeResponse, trusted: TrustedConnections): void {
  const { socket } = request;
  if (!trusted.has(socket)) {
    resetConnection(socket);
    return;
  }
  const end = (): void => {
    socket.destroySoon();
  };
  const endBehind = (): void => {
    if (request.complete) end();
    else request.once("end", end);
  };
  // Bytes that nobody read have the kernel send a reset, which can overtake the answers that are due.
  request.resume();
  // These are still to be given: Node hands the socket on when it is this one's turn.
  if (response.socket !== null) endBehind();
  else response.once("socket", endBehind);
}

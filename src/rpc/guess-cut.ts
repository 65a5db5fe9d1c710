import type { IncomingMessage } from "node:http";
import { constants, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { resetConnection } from "../net/reset.js";
import { isEnding } from "./late-destroy.js";
import { connectionOf, sparedEvent, type NodeRequest, type NodeResponse } from "./node-http.js";

/**
 * Cuts off those without a right secret where too many of them wait to be answered: an answer at once would have them guess
 * as fast as they can ask. Where it can, it has each such guess cost its connection.
 *
 * Many callers may share a connection, behind a reverse proxy. One by which a right secret has come goes on for these, and
 * only the wrong request is cut.
 */
export class GuessCut {
  readonly #trusted = new WeakSet<object>();

  /** To be told of what carries each request with a right secret. */
  trust(carrier: Socket | ServerHttp2Stream): void {
    this.#trusted.add(connectionOf(carrier));
  }

  /** Ends a request without an answer, and its connection where no right secret has come by it. */
  cut(request: NodeRequest, response: NodeResponse): void {
    if ("stream" in request) this.#cutHttp2(request.stream);
    else this.#cutHttp1(request, response);
  }

  #cutHttp2(stream: ServerHttp2Stream): void {
    const { session } = stream;
    if (session === undefined || isEnding(session)) return;
    if (this.#trusted.has(session)) {
      // What others do is not to be held against the session.
      stream.emit(sparedEvent);
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    session.destroy();
  }

  /** HTTP/1.1 cannot leave an answer out and go on. */
  #cutHttp1(request: IncomingMessage, response: NodeResponse): void {
    const { socket } = request;
    if (!this.#trusted.has(socket)) {
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
}

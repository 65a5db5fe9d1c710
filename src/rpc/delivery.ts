import { createContextKey } from "@connectrpc/connect";
import type { Socket } from "node:net";
import { constants, type ServerHttp2Stream } from "node:http2";
import type { NodeRequest, NodeResponse } from "./node-http.js";

/**
 * Whether the answer of one call reached the socket, for calls that must take something back when it did not.
 *
 * The answer counts as lost when the caller hangs up or cancels, or is cut off, before the operating system took the
 * last byte of it. What the operating system took counts as delivered, whether the caller lived to read it or not: a
 * caller who has the whole answer must never see the same bytes again, and nothing tells it from one who has not.
 */
export interface Delivery {
  /** Runs `undo` once if the answer is lost: at once, if the caller is gone already. */
  onLost(undo: () => void): void;
}

/** Where a call finds its delivery. Calls that no connection carries (in memory) are always delivered. */
export const deliveryKey = createContextKey<Delivery>(
  { onLost: () => undefined },
  { description: "delivery" },
);

/** Watches the delivery of the answer to one HTTP request. */
export function watchDelivery(request: NodeRequest, response: NodeResponse): Delivery {
  return "stream" in request
    ? deliveryOver(request.stream)
    : deliveryBy(request.socket, (settle) => {
        watchSocket(request.socket, response, settle);
      });
}

/** Watches the delivery of the answer that a stream of HTTP/2 carries. */
export function deliveryOver(stream: ServerHttp2Stream): Delivery {
  return deliveryBy(stream, (settle) => {
    watchStream(stream, settle);
  });
}

/** Most calls have nothing to take back, and are not watched. */
function deliveryBy(
  carrier: Socket | ServerHttp2Stream,
  watch: (settle: (isDelivered: boolean) => void) => void,
): Delivery {
  let undos: (() => void)[] | undefined;
  return {
    onLost: (undo) => {
      if (carrier.destroyed) {
        undo();
        return;
      }
      if (undos === undefined) {
        undos = [];
        watch((isDelivered) => {
          const settled = undos?.splice(0) ?? [];
          if (!isDelivered) for (const takeBack of settled) takeBack();
        });
      }
      undos.push(undo);
    },
  };
}

/**
 * HTTP/2: a stream finishes when the operating system took its data, and closes with an error code if it was cancelled
 * or lost its connection. (The response's own `finish` comes with any close.) The trailers follow the data within a
 * turn of the event loop and nothing tells when they are out: they count as delivered with the data.
 */
function watchStream(stream: ServerHttp2Stream, settle: (isDelivered: boolean) => void): void {
  stream.once("close", () => {
    settle(stream.writableFinished && stream.rstCode === constants.NGHTTP2_NO_ERROR);
  });
}

/**
 * HTTP/1.1: an answer finishes when the operating system took its last byte; in Node 20 and 22 also when its socket was
 * destroyed under it. One that waits behind another on its connection is not told of the connection's end in every
 * version of Node, so that is watched here.
 */
function watchSocket(socket: Socket, response: NodeResponse, settle: (isDelivered: boolean) => void): void {
  const onClose = (): void => {
    settle(false);
  };
  // A client may send any number of requests before it reads their answers, and each of them listens.
  socket.setMaxListeners(0);
  socket.once("close", onClose);
  response.once("finish", () => {
    socket.off("close", onClose);
    settle(!socket.destroyed);
  });
}

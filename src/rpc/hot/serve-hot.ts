import type { ServerHttp2Stream } from "node:http2";
import type { Caller } from "../caller.js";
import { deliveryOver, watchDelivery, type Delivery } from "../delivery.js";
import { carrierOf, type NodeRequest, type NodeResponse } from "../node-http.js";
import { answerCarrierOf, type PacedAnswerOptions } from "../paced-answer.js";
import { collectBody, putBack } from "../request-body.js";
import { writePaced } from "../write-paced.js";
import type { HotCall } from "./hot-calls.js";
import type { Reply } from "./hot-protocols.js";

export interface ServeHotOptions {
  readonly call: HotCall;
  readonly caller: Caller;
  /** Largest request message, in bytes. */
  readonly maxRequestBytes: number;
  /** How its answer is written. */
  readonly pace: PacedAnswerOptions;
  /** Serves it in the ordinary way: something about its body is unusual. */
  readonly handOver: () => void;
  /** Told that the request broke off. */
  readonly onBroken: () => void;
  /** Told that the call failed, as none should. */
  readonly onFailed: (error: unknown) => void;
}

/** Serves a call whose request and answer are Node's own objects. */
export function serveHotRequest(
  request: NodeRequest,
  response: NodeResponse,
  options: ServeHotOptions,
): void {
  const carrier = carrierOf(request);
  serve(request, options, {
    delivery: watchDelivery(request, response),
    isGone: () => carrier.destroyed,
    send: ({ status, headers, body, trailers }) => {
      response.writeHead(status, headers);
      if (trailers !== undefined) response.addTrailers(trailers);
      writePaced(response, body, answerCarrierOf(request, response), options.pace);
    },
    destroy: () => response.destroy(),
  });
}

/** Serves a call that a stream of HTTP/2 carries, without Node's request and response, which take a tenth of the time. */
export function serveHotStream(stream: ServerHttp2Stream, options: ServeHotOptions): void {
  serve(stream, options, {
    delivery: deliveryOver(stream),
    isGone: () => stream.destroyed || stream.closed,
    send: ({ status, headers, body, trailers = {} }) => {
      // Without trailers the stream could close with its last byte, before it is known that the system took that.
      stream.respond({ ":status": status, ...headers }, { waitForTrailers: true });
      stream.once("wantTrailers", () => {
        stream.sendTrailers(trailers);
      });
      writePaced(stream, body, { carrier: stream, answer: stream }, options.pace);
    },
    destroy: () => stream.destroy(),
  });
}

/** What carries a call and its answer. */
interface Carrier {
  readonly delivery: Delivery;
  readonly isGone: () => boolean;
  readonly send: (reply: Reply) => void;
  readonly destroy: () => void;
}

function serve(
  source: NodeRequest | ServerHttp2Stream,
  { call, caller, maxRequestBytes, handOver, onBroken, onFailed }: ServeHotOptions,
  { delivery, isGone, send, destroy }: Carrier,
): void {
  collectBody(source, {
    maxLength: (beginning) => call.protocol.maxBodyLength(beginning, maxRequestBytes),
    isUseful: call.isReadable,
    onLong: handOver,
    onBroken,
    onWhole: (body) => {
      const reply = call.answer(body, { caller, delivery, isGone });
      if (reply === undefined) {
        putBack(source, [body]);
        handOver();
        return;
      }
      reply
        .then((answer) => {
          if (!isGone()) send(answer);
        })
        .catch((error: unknown) => {
          onFailed(error);
          destroy();
        });
    },
  });
}

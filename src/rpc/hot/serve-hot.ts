import type { ServerHttp2Stream } from "node:http2";
import type { Writable } from "node:stream";
import { contextValuesOf } from "../call-context.js";
import { holderOf, type Caller } from "../caller.js";
import { deliveryOver, watchDelivery, type Delivery } from "../delivery.js";
import {
  answerCarrierOf,
  connectionOf,
  streamCarrier,
  type AnswerCarrier,
  type NodeRequest,
  type NodeResponse,
} from "../node-http.js";
import type { PacedAnswerOptions } from "../paced-answer.js";
import { collectBody, putBack } from "../request-body.js";
import { writePaced } from "../write-paced.js";
import type { HotCall } from "./hot-calls.js";
import type { Reply } from "./hot-protocols.js";

/** What all calls have in common. */
export interface ServeHotOptions {
  /** Largest request message, in bytes. */
  readonly maxRequestBytes: number;
  /** How answers are written. */
  readonly pace: Omit<PacedAnswerOptions, "holder">;
  /** Told that a request broke off. */
  readonly onBroken: () => void;
  /** Told that a call failed, as none should. */
  readonly onFailed: (error: unknown) => void;
}

/** A call to be served, and who asks. */
export interface AdmittedCall {
  readonly call: HotCall;
  readonly caller: Caller;
  /** Serves it in the ordinary way: something about its body is unusual. */
  readonly handOver: () => void;
}

/** Serves a call whose request and answer are Node's own objects. */
export function serveHotRequest(
  request: NodeRequest,
  response: NodeResponse,
  admitted: AdmittedCall,
  options: ServeHotOptions,
): void {
  const out = answerCarrierOf(request, response);
  serve(request, admitted, options, {
    out,
    target: response,
    delivery: watchDelivery(request, response),
    isGone: () => out.carrier.destroyed,
    begin: ({ status, headers, trailers }) => {
      response.writeHead(status, headers);
      if (trailers !== undefined) response.addTrailers(trailers);
    },
  });
}

/** Serves a call that a stream of HTTP/2 carries, without Node's request and response, which take a tenth of the time. */
export function serveHotStream(
  stream: ServerHttp2Stream,
  admitted: AdmittedCall,
  options: ServeHotOptions,
): void {
  serve(stream, admitted, options, {
    out: streamCarrier(stream),
    target: stream,
    delivery: deliveryOver(stream),
    isGone: () => stream.destroyed || stream.closed,
    begin: ({ status, headers, trailers = {} }) => {
      // Without trailers the stream could close with its last byte, before it is known that the system took that.
      stream.respond({ ":status": status, ...headers }, { waitForTrailers: true });
      stream.once("wantTrailers", () => {
        stream.sendTrailers(trailers);
      });
    },
  });
}

/** What carries a call and its answer. */
interface CallCarrier {
  readonly out: AnswerCarrier;
  /** Where the answer's body is written. */
  readonly target: Writable;
  readonly delivery: Delivery;
  readonly isGone: () => boolean;
  /** Begins the answer, with all but its body. */
  readonly begin: (reply: Reply) => void;
}

function serve(
  source: NodeRequest | ServerHttp2Stream,
  { call, caller, handOver }: AdmittedCall,
  { maxRequestBytes, pace, onBroken, onFailed }: ServeHotOptions,
  { out, target, delivery, isGone, begin }: CallCarrier,
): void {
  const connection = connectionOf(out.carrier);
  const values = contextValuesOf({ caller, connection, delivery, queue: pace.queue });
  collectBody(source, {
    maxLength: (beginning) => call.protocol.maxBodyLength(beginning, maxRequestBytes),
    isUseful: call.isReadable,
    onLong: handOver,
    onBroken,
    onWhole: (body) => {
      const reply = call.answer(body, { values, isGone });
      if (reply === undefined) {
        putBack(source, [body]);
        handOver();
        return;
      }
      reply
        .then((answer) => {
          if (isGone()) return;
          begin(answer);
          writePaced(target, answer.body, out, { holder: holderOf(values), ...pace });
        })
        .catch((error: unknown) => {
          onFailed(error);
          target.destroy();
        });
    },
  });
}

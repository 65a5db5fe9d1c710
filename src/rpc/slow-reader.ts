import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { Socket } from "node:net";
import { answerCarrierOf, cutOff, streamCarrier, type AnswerCarrier } from "./node-http.js";

export interface SlowReaderOptions {
  /** How long what is there of an answer may wait without any of it being taken, in milliseconds. */
  readonly timeoutMs: number;
  /** Told when somebody who takes longer is cut off. */
  readonly onSlow: () => void;
}

/** How often within the timeout it is looked whether something was taken: whoever is cut is so at most a quarter late. */
const checksPerTimeout = 4;

/**
 * Cuts the caller of a request over HTTP/1.1 off who does not read its answer, whatever that is: a call's, a page, a refusal. An
 * answer that has nothing to say for a while is not slow: what counts is what is there and is not taken, the end of it included.
 */
export function cutSlowReader(
  request: IncomingMessage,
  response: ServerResponse,
  { timeoutMs, onSlow }: SlowReaderOptions,
): void {
  const { socket } = request;
  const answer = new WatchedAnswer(answerCarrierOf(request, response), onSlow);
  const timer = setInterval(() => {
    answer.look();
  }, timeoutMs / checksPerTimeout);
  const settle = (): void => {
    clearInterval(timer);
    socket.off("close", settle);
  };
  // All answers of a connection listen to it.
  socket.setMaxListeners(0);
  socket.once("close", settle);
  response.once("close", settle);
}

/**
 * Does the same for all answers of an HTTP/2 session, and looks at all of them at once: most are over before, and to watch each
 * of them would cost every call.
 *
 * Where the other side takes nothing at all, a stream that was reset cannot go either: then the session is ended.
 */
export function cutSlowReaders(
  session: ServerHttp2Session,
  socket: Socket,
  { timeoutMs, onSlow }: SlowReaderOptions,
): void {
  const open = new Set<ServerHttp2Stream>();
  let watched = new Map<ServerHttp2Stream, WatchedAnswer>();
  const timer = setInterval(() => {
    watched = new Map(
      Array.from(open, (stream) => [
        stream,
        watched.get(stream) ?? new WatchedAnswer(streamCarrier(stream), onSlow),
      ]),
    );
    for (const answer of watched.values()) answer.look();
  }, timeoutMs / checksPerTimeout);
  session.on("stream", (stream) => {
    open.add(stream);
    stream.once("close", () => {
      open.delete(stream);
    });
  });
  socket.once("close", () => {
    clearInterval(timer);
  });
}

/** An answer that is looked at from time to time. */
class WatchedAnswer {
  readonly #carrier: AnswerCarrier["carrier"];
  readonly #answer: AnswerCarrier["answer"];
  readonly #onSlow: () => void;
  #isDrained = false;
  #leftBytes = 0;
  #takenBytes = 0;
  /** For how many looks something has waited, of which nothing was taken between them. */
  #lookCount = 0;

  constructor({ carrier, answer }: AnswerCarrier, onSlow: () => void) {
    this.#carrier = carrier;
    this.#answer = answer;
    this.#onSlow = onSlow;
    answer.on("drain", () => {
      this.#isDrained = true;
    });
  }

  look(): void {
    const { writableLength: left, writableEnded, writableFinished } = this.#answer;
    const taken = takenByConnection(this.#carrier);
    const waits = left > 0 || (writableEnded && !writableFinished);
    const moved = this.#isDrained || left < this.#leftBytes || taken > this.#takenBytes;
    this.#isDrained = false;
    this.#leftBytes = left;
    this.#takenBytes = taken;
    if (!waits) this.#lookCount = 0;
    else if (moved) this.#lookCount = 1;
    else this.#lookCount += 1;
    if (this.#lookCount === checksPerTimeout + 1) {
      this.#onSlow();
      cutOff(this.#carrier);
    } else if (this.#lookCount > 2 * checksPerTimeout && !(this.#carrier instanceof Socket)) {
      this.#carrier.session?.destroy();
    }
  }
}

/** In HTTP/1.1 an answer waits for those before it. In HTTP/2 the others are none of its business. */
function takenByConnection(carrier: AnswerCarrier["carrier"]): number {
  return carrier instanceof Socket ? carrier.bytesWritten - carrier.writableLength : 0;
}

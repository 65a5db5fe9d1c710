import type { ServerHttp2Stream } from "node:http2";
import { Socket } from "node:net";
import type { AnswerQueue, QueuedAnswer } from "./answer-queue.js";
import { carrierOf, cutOff, type NodeRequest, type NodeResponse } from "./node-http.js";

/** An answer is written in pieces of so many bytes: each that is taken shows that somebody reads. */
export const pieceBytes = 64 * 1024;

export interface PacedAnswerOptions {
  /** Where the bytes are counted that wait. */
  readonly queue: AnswerQueue;
  /** How long a caller may take for a piece, in milliseconds. */
  readonly timeoutMs: number;
  /** Told when somebody who takes longer is cut off. */
  readonly onSlow: () => void;
  /** Told when somebody is cut off to make room for others. */
  readonly onNoRoom: () => void;
}

/** What carries an answer, and what finishes when the last byte of it was taken. */
export interface AnswerCarrier {
  readonly carrier: Socket | ServerHttp2Stream;
  readonly answer: NodeResponse | ServerHttp2Stream;
}

/** What carries the answer to a request. (In HTTP/2 the response's own "finish" comes with any close.) */
export function answerCarrierOf(request: NodeRequest, response: NodeResponse): AnswerCarrier {
  const carrier = carrierOf(request);
  return { carrier, answer: "stream" in request ? request.stream : response };
}

/**
 * Hands an answer's body on in pieces, and cuts the caller off who stops to read. A body that has nothing to say for a while
 * is not slow: what counts is what is there and is not taken, the last of it included, after which the body is over.
 */
export async function* paceAnswer(
  body: AsyncIterable<Uint8Array>,
  carrier: AnswerCarrier,
  options: PacedAnswerOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const waiting = new WaitingAnswer(carrier, options);
  for await (const chunk of body) {
    waiting.hold(chunk.length);
    for (let start = 0; start < chunk.length; start += pieceBytes) {
      waiting.beginPiece();
      yield chunk.subarray(start, start + pieceBytes);
      waiting.endPiece();
    }
  }
  waiting.beginPiece();
}

/** An answer that waits to be taken, until it is or its carrier closes: for so long it is counted, and its caller watched. */
export class WaitingAnswer {
  readonly #carrier: Socket | ServerHttp2Stream;
  readonly #options: PacedAnswerOptions;
  #queued: QueuedAnswer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #takenBytes = 0;

  constructor({ carrier, answer }: AnswerCarrier, options: PacedAnswerOptions) {
    this.#carrier = carrier;
    this.#options = options;
    const settle = (): void => {
      // A socket carries others behind it; a stream goes with its answer.
      if (carrier instanceof Socket) carrier.off("close", settle);
      this.endPiece();
      this.#queued?.release();
    };
    answer.once("finish", settle);
    carrier.once("close", settle);
  }

  /** So many bytes wait from now on, in place of those that did. */
  hold(bytes: number): void {
    this.#queued?.release();
    if (this.#carrier.destroyed) return;
    this.#queued = this.#options.queue.add(bytes, () => {
      this.#options.onNoRoom();
      cutOff(this.#carrier);
    });
  }

  /** Some of it is written now, and to be taken in time. */
  beginPiece(): void {
    if (this.#carrier.destroyed) return;
    this.#takenBytes = this.#takenByConnection();
    this.#timer = setTimeout(() => {
      if (this.#takenByConnection() > this.#takenBytes) {
        this.beginPiece();
        return;
      }
      this.#options.onSlow();
      cutOff(this.#carrier);
    }, this.#options.timeoutMs);
  }

  /** It was taken. */
  endPiece(): void {
    clearTimeout(this.#timer);
    this.#queued?.touch();
  }

  /** In HTTP/1.1 an answer waits for those before it. In HTTP/2 the others are none of its business. */
  #takenByConnection(): number {
    return this.#carrier instanceof Socket ? this.#carrier.bytesWritten : 0;
  }
}

import type { AnswerQueue, QueuedAnswer } from "./answer-queue.js";
import { carrierOf, connectionOf, cutOff, type NodeRequest, type NodeResponse } from "./node-http.js";

/** An answer is written in pieces of so many bytes: each that is taken shows that somebody reads. */
const pieceBytes = 64 * 1024;

export interface PacedAnswerOptions {
  /** Where the bytes are counted that wait. */
  readonly queue: AnswerQueue;
  /** Whose they are. */
  readonly holder: object | string;
  /** How long a caller may take for a piece, in milliseconds. */
  readonly timeoutMs: number;
  /** Told when somebody who takes longer is cut off. */
  readonly onSlow: () => void;
  /** Told when somebody who has stopped to read is cut off to make room for others. */
  readonly onNoRoom: () => void;
}

/**
 * Hands an answer's body on in pieces, and cuts the caller off who stops to read. A body that has nothing to say for a while
 * is not slow: what counts is what is there and is not taken, the last of it included, after which the body is over.
 */
export async function* paceAnswer(
  body: AsyncIterable<Uint8Array>,
  request: NodeRequest,
  response: NodeResponse,
  { queue, holder, timeoutMs, onSlow, onNoRoom }: PacedAnswerOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const carrier = carrierOf(request);
  const patience = new Patience(request, timeoutMs, onSlow);
  let queued: QueuedAnswer | undefined;
  const reader = {
    connection: connectionOf(request),
    holder,
    cut: () => {
      onNoRoom();
      cutOff(request);
    },
  };
  const settle = (): void => {
    carrier.off("close", settle);
    patience.end();
    queued?.touch();
    queued?.release();
  };
  // (The response's own "finish" comes with any close in HTTP/2.)
  ("stream" in request ? request.stream : response).once("finish", settle);
  carrier.once("close", settle);
  for await (const chunk of body) {
    queued?.release();
    queued = carrier.destroyed ? undefined : queue.add(chunk.length, reader);
    for (let start = 0; start < chunk.length; start += pieceBytes) {
      patience.begin();
      yield chunk.subarray(start, start + pieceBytes);
      patience.end();
      queued?.touch();
    }
  }
  patience.begin();
}

/** How long to wait for somebody to take what was written. */
class Patience {
  readonly #request: NodeRequest;
  readonly #timeoutMs: number;
  readonly #onOver: () => void;
  #timer: NodeJS.Timeout | undefined;
  #takenBytes = 0;

  constructor(request: NodeRequest, timeoutMs: number, onOver: () => void) {
    this.#request = request;
    this.#timeoutMs = timeoutMs;
    this.#onOver = onOver;
  }

  begin(): void {
    if (carrierOf(this.#request).destroyed) return;
    this.#takenBytes = this.#takenByConnection();
    this.#timer = setTimeout(() => {
      if (this.#takenByConnection() > this.#takenBytes) {
        this.begin();
        return;
      }
      this.#onOver();
      cutOff(this.#request);
    }, this.#timeoutMs);
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  /** In HTTP/1.1 an answer waits for those before it. In HTTP/2 the others are none of its business. */
  #takenByConnection(): number {
    return "stream" in this.#request ? 0 : this.#request.socket.bytesWritten;
  }
}

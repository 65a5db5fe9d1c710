import type { AnswerQueue, QueuedAnswer } from "./answer-queue.js";
import { connectionOf, cutOff, type AnswerCarrier } from "./node-http.js";

/** An answer is written in pieces of so many bytes: each that is taken shows that somebody reads. */
export const pieceBytes = 64 * 1024;

export interface PacedAnswerOptions {
  /** Where the bytes are counted that wait. */
  readonly queue: AnswerQueue;
  /** Whose they are. */
  readonly holder: object | string;
  /** Told when somebody who has stopped to read is cut off to make room for others. */
  readonly onNoRoom: () => void;
}

/**
 * Hands an answer's body on in pieces, and counts the bytes of it that wait until they are taken, the last of them included. Who
 * takes none of them is cut off as with any other answer.
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
      yield chunk.subarray(start, start + pieceBytes);
      waiting.touch();
    }
  }
}

/** An answer that waits to be taken: until it is, or its carrier closes, its bytes are counted. */
export class WaitingAnswer {
  readonly #carrier: AnswerCarrier["carrier"];
  readonly #options: PacedAnswerOptions;
  #queued: QueuedAnswer | undefined;

  constructor({ carrier, answer }: AnswerCarrier, options: PacedAnswerOptions) {
    this.#carrier = carrier;
    this.#options = options;
    const settle = (): void => {
      carrier.off("close", settle);
      this.#queued?.touch();
      this.#queued?.release();
    };
    answer.once("finish", settle);
    carrier.once("close", settle);
  }

  /** So many bytes wait from now on, in place of those that did. */
  hold(bytes: number): void {
    const { queue, holder, onNoRoom } = this.#options;
    const carrier = this.#carrier;
    this.#queued?.release();
    this.#queued = undefined;
    if (carrier.destroyed) return;
    this.#queued = queue.add(bytes, {
      connection: connectionOf(carrier),
      holder,
      cut: () => {
        onNoRoom();
        cutOff(carrier);
      },
    });
  }

  /** Some of them were taken. */
  touch(): void {
    this.#queued?.touch();
  }
}

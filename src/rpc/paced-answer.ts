import type { AnswerQueue, QueuedAnswer } from "./answer-queue.js";
import { carrierOf, connectionOf, cutOff, type NodeRequest, type NodeResponse } from "./node-http.js";

/** An answer is written in pieces of so many bytes: each that is taken shows that somebody reads. */
const pieceBytes = 64 * 1024;

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
  request: NodeRequest,
  response: NodeResponse,
  { queue, holder, onNoRoom }: PacedAnswerOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const carrier = carrierOf(request);
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
      yield chunk.subarray(start, start + pieceBytes);
      queued?.touch();
    }
  }
}

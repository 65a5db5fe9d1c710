import type { AnswerQueue, QueuedAnswer } from "./answer-queue.js";
import { carrierOf, cutOff, type NodeRequest, type NodeResponse } from "./node-http.js";

/** An answer is written in pieces of so many bytes: each that is taken shows that somebody reads. */
const pieceBytes = 64 * 1024;

export interface PacedAnswerOptions {
  /** Where the bytes are counted that wait. */
  readonly queue: AnswerQueue;
  /** Told when somebody is cut off to make room for others. */
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
  { queue, onNoRoom }: PacedAnswerOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const carrier = carrierOf(request);
  let queued: QueuedAnswer | undefined;
  const cutForOthers = (): void => {
    onNoRoom();
    cutOff(request);
  };
  const settle = (): void => {
    carrier.off("close", settle);
    queued?.release();
  };
  // (The response's own "finish" comes with any close in HTTP/2.)
  ("stream" in request ? request.stream : response).once("finish", settle);
  carrier.once("close", settle);
  for await (const chunk of body) {
    queued?.release();
    queued = carrier.destroyed ? undefined : queue.add(chunk.length, cutForOthers);
    for (let start = 0; start < chunk.length; start += pieceBytes) {
      yield chunk.subarray(start, start + pieceBytes);
      queued?.touch();
    }
  }
}

import { Socket } from "node:net";
import { cutOff, type AnswerCarrier } from "./node-http.js";

export interface SlowReaderOptions {
  /** How long what is there of an answer may wait without any of it being taken, in milliseconds. */
  readonly timeoutMs: number;
  /** Told when somebody who takes longer is cut off. */
  readonly onSlow: () => void;
}

/** How often within the timeout it is looked whether something was taken: whoever is cut is so at most a quarter late. */
const checksPerTimeout = 4;

/**
 * Cuts a caller off who does not read an answer, whatever that is: a call's, a page, a refusal. An answer that
 * has nothing to say for a while is not slow: what counts is what is there and is not taken, the end of it included.
 *
 * Where the other side takes nothing at all, the HTTP/2 stream that was reset cannot go either: then its session is ended.
 *
 * @returns what ends the watch before the answer is over.
 */
export function cutSlowReader(
  { carrier, answer }: AnswerCarrier,
  { timeoutMs, onSlow }: SlowReaderOptions,
): () => void {
  let isDrained = false;
  let leftBytes = 0;
  let takenBytes = 0;
  /** For how many looks something has waited, of which nothing was taken between them. */
  let lookCount = 0;
  const look = (): void => {
    const { writableLength: left, writableEnded, writableFinished } = answer;
    const taken = takenByConnection(carrier);
    const waits = left > 0 || (writableEnded && !writableFinished);
    const moved = isDrained || left < leftBytes || taken > takenBytes;
    isDrained = false;
    leftBytes = left;
    takenBytes = taken;
    if (!waits) lookCount = 0;
    else if (moved) lookCount = 1;
    else lookCount += 1;
    if (lookCount === checksPerTimeout + 1) {
      onSlow();
      cutOff(carrier);
    } else if (lookCount > 2 * checksPerTimeout && !(carrier instanceof Socket)) {
      carrier.session?.destroy();
    }
  };
  const timer = setInterval(look, timeoutMs / checksPerTimeout);
  const onDrain = (): void => {
    isDrained = true;
  };
  const settle = (): void => {
    clearInterval(timer);
    carrier.off("close", settle);
    answer.off("close", settle);
    answer.off("drain", onDrain);
  };
  // In HTTP/1.1 all answers of a connection listen to it.
  carrier.setMaxListeners(0);
  carrier.once("close", settle);
  answer.once("close", settle);
  answer.on("drain", onDrain);
  return settle;
}

/** In HTTP/1.1 an answer waits for those before it. In HTTP/2 the others are none of its business. */
function takenByConnection(carrier: AnswerCarrier["carrier"]): number {
  return carrier instanceof Socket ? carrier.bytesWritten - carrier.writableLength : 0;
}

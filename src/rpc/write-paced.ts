import type { Writable } from "node:stream";
import type { AnswerCarrier } from "./node-http.js";
import { pieceBytes, WaitingAnswer, type PacedAnswerOptions } from "./paced-answer.js";

/** Answers of so many bytes are not counted while they wait: there is at most one for each call that may run. */
const smallBytes = 4 * 1024;

/**
 * Writes an answer's body, all of which is there, and ends it: a small one at once, and a large one in pieces, each when the
 * one before it was taken. Unless it is small, its bytes are counted until they are.
 */
export function writePaced(
  target: Writable,
  body: readonly Uint8Array[],
  carrier: AnswerCarrier,
  options: PacedAnswerOptions,
): void {
  const length = body.reduce((sum, chunk) => sum + chunk.length, 0);
  if (length <= smallBytes) {
    writeAtOnce(target, body);
    return;
  }
  const waiting = new WaitingAnswer(carrier, options);
  waiting.hold(length);
  if (length > pieceBytes) writeInTurn(target, body.flatMap(cut), waiting);
  else writeAtOnce(target, body);
}

function writeAtOnce(target: Writable, body: readonly Uint8Array[]): void {
  for (const chunk of body.slice(0, -1)) target.write(chunk);
  endWith(target, body.at(-1));
}

function writeInTurn(target: Writable, pieces: readonly Uint8Array[], waiting: WaitingAnswer): void {
  let written = 0;
  const writeNext = (): void => {
    const piece = pieces[written++];
    if (piece === undefined || written === pieces.length) {
      endWith(target, piece);
      return;
    }
    target.write(piece, (error) => {
      if (error) return;
      waiting.touch();
      writeNext();
    });
  };
  writeNext();
}

function cut(chunk: Uint8Array): Uint8Array[] {
  const count = Math.ceil(chunk.length / pieceBytes);
  return Array.from({ length: count }, (_, index) =>
    chunk.subarray(index * pieceBytes, (index + 1) * pieceBytes),
  );
}

function endWith(target: Writable, last: Uint8Array | undefined): void {
  if (last === undefined) target.end();
  else target.end(last);
}

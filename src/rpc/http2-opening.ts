import type { Socket } from "node:net";
import { readArrived } from "../net/byte-reader.js";

/**
 * What ends an HTTP/2 connection on which we have said nothing yet: SETTINGS, with which everybody begins, and GOAWAY with
 * ENHANCE_YOUR_CALM, and no stream that was looked at (RFC 9113 §6.5, §6.8).
 */
export const calmGoodbye: Uint8Array = Uint8Array.of(
  ...[0, 0, 0, 0x4, 0, 0, 0, 0, 0],
  ...[0, 0, 8, 0x7, 0, 0, 0, 0, 0],
  ...[0, 0, 0, 0, 0, 0, 0, 0xb],
);

const prefaceBytes = 24;
/** Length in three bytes, type, flags, and the stream in four (RFC 9113 §4.1). */
const frameHeadBytes = 9;
const rstStream = 0x3;

/**
 * How many requests are cancelled in what has come of an HTTP/2 connection so far. All of it stays in the socket.
 *
 * There can be thousands of them, and Node hands what has come before there is a session over to nghttp2 in one go: it makes
 * streams of all of them before anybody else has a turn. To count their frames costs next to nothing.
 */
export function openingResetsOf(socket: Socket): number {
  const opening = readArrived(socket);
  if (opening.length > 0) socket.unshift(opening);
  return countResets(opening);
}

/** @param opening - The preface, and frames, of which the last may be in part. */
function countResets(opening: Buffer): number {
  let count = 0;
  let at = prefaceBytes;
  while (at + frameHeadBytes <= opening.length) {
    if (opening[at + 3] === rstStream) count += 1;
    at += frameHeadBytes + opening.readUIntBE(at, 3);
  }
  return count;
}

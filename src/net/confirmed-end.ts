import { Duplex } from "node:stream";
import { socketHandleOf } from "./socket-handle.js";

/** Marks a socket whose end has been read twice. */
const confirmed = Symbol("confirmed end");

/**
 * Has a socket whose other direction has ended read its end twice before anybody hears of it, because the first one may be
 * none: where a reset lies right behind data, libuv takes the hang-up for an end (in Node 20 and 22), and an answer that was
 * cut behind a client's half-close looks complete. Reading once more tells: an end stays an end, and a reset is an error.
 *
 * While the other direction is open, writing tells as well, and costs less.
 *
 * What is no plain socket is left alone, and one whose `push()` somebody else has replaced.
 */
export function confirmEnd(stream: Duplex): void {
  // Node tells a stream of its end by pushing `null`, as every source of a stream does.
  if (socketHandleOf(stream) !== undefined && !Object.hasOwn(stream, "push")) stream.push = pushConfirmed;
}

/** Tells of a stream that has ended whether that was read twice: not if it lay in the stream before, or that can be written to. */
export function isEndConfirmed(stream: Duplex): boolean {
  return Object.hasOwn(stream, confirmed);
}

/** One for all sockets: an idle tunnel shall not cost more for it. */
function pushConfirmed(this: Duplex, chunk: unknown, encoding?: BufferEncoding): boolean {
  if (chunk === null && !this.writable && !isEndConfirmed(this) && socketHandleOf(this)?.readStart() === 0) {
    Object.defineProperty(this, confirmed, { value: true });
    return true;
  }
  return Duplex.prototype.push.call(this, chunk, encoding);
}

import type { Duplex } from "node:stream";
import { socketHandleOf } from "./socket-handle.js";

/**
 * Has a socket read its end twice before anybody hears of it, because the first one may be none: where a reset lies right
 * behind data, libuv takes the hang-up for an end (in Node 20 and 22), and a transfer that was cut looks complete. Reading
 * once more tells: an end stays an end, and a reset is an error.
 *
 * Writing would tell as well, but not on a connection whose other direction has ended: after a client's half-close, an
 * answer could be cut unnoticed.
 *
 * @returns tells, when the end has come, whether it was read twice: not if it lay in the stream before, and not of what is
 *   no plain socket.
 */
export function confirmEnd(stream: Duplex): () => boolean {
  let isConfirmed = false;
  if (socketHandleOf(stream) === undefined) return () => isConfirmed;
  // Node tells a stream of its end by pushing `null`, as every source of a stream does.
  const push = stream.push.bind(stream);
  stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk !== null || isConfirmed) return push(chunk, encoding);
    isConfirmed = socketHandleOf(stream)?.readStart() === 0;
    return isConfirmed || push(null);
  };
  return () => isConfirmed;
}

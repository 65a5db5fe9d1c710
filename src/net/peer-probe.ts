import { Socket } from "node:net";
import type { Duplex } from "node:stream";

const noBytes = new Uint8Array(0);

/**
 * Has a socket notice what the system knows of it already: that its peer has reset the connection, or has vanished. Nobody
 * tells a socket that is not read from. A write does, also one of no bytes, which sends none.
 *
 * The socket fails within this turn of the event loop or the next. A write that is under way tells by itself.
 *
 * TLS makes nothing of no bytes, and who has ended its own direction cannot write: there nothing is noticed. (That the system no
 * longer knows the peer's address says too little: so it is after two ends in order, too, with data still to be read.)
 */
export function probePeer(stream: Duplex): void {
  if (stream instanceof Socket && stream.writable && stream.writableLength === 0) stream.write(noBytes);
}

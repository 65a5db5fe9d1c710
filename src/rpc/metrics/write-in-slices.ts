import type { Writable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { carrierOf, type NodeRequest, type NodeResponse } from "../node-http.js";

/** Most pieces that are written before others have their turn: a millisecond or two of work. */
const maxSlicePieces = 1_000;
/** About how many characters are written at once. */
const maxSliceLength = 64 * 1024;

/**
 * Writes an answer's body and ends it. Between two slices of it the event loop turns, and while the other side does not
 * read, no more of it is made. What is read while it is being written is therefore not of one moment.
 *
 * It resolves when the last of it is handed over, or when the other side is gone: then nothing more is made at all. It
 * rejects with what `pieces` throws.
 *
 * @param pieces - Taken one by one; they may be empty.
 */
export async function writeInSlices(
  request: NodeRequest,
  response: NodeResponse,
  pieces: Iterable<string>,
): Promise<void> {
  const carrier = carrierOf(request);
  const body: Writable = response;
  const isGone = (): boolean => carrier.destroyed;
  let wake: () => void = () => undefined;
  const onChange = (): void => {
    wake();
  };
  response.on("drain", onChange);
  carrier.on("close", onChange);
  try {
    for (const slice of slicesOf(pieces)) {
      if (!body.write(slice) && !isGone()) await new Promise<void>((resolve) => (wake = resolve));
      // A socket can take a slice, and drain, within one turn.
      await nextTurn();
      if (isGone()) return;
    }
    response.end();
  } finally {
    response.off("drain", onChange);
    carrier.off("close", onChange);
  }
}

function* slicesOf(pieces: Iterable<string>): Generator<string, void, undefined> {
  let slice = "";
  let pieceCount = 0;
  for (const piece of pieces) {
    slice += piece;
    pieceCount += 1;
    if (pieceCount < maxSlicePieces && slice.length < maxSliceLength) continue;
    yield slice;
    slice = "";
    pieceCount = 0;
  }
  if (slice !== "") yield slice;
}

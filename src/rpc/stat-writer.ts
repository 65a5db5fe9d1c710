import type { CounterSlab } from "../stats/counter-slab.js";
import { Int64 } from "../stats/int64.js";

/** Protobuf's tags: the field's number, and how its value is written. */
const statTag = (1 << 3) | 2;
const nameTag = (1 << 3) | 2;
const valueTag = (2 << 3) | 0;

/** Bytes that a Stat has at most beside its name: two tags with their lengths, and the value with its tag. */
const maxFrameLength = 1 + 5 + 1 + 5 + 1 + 10;
/** Sizes of the pieces: the first one for a few counters, each further one four times as large. */
const leastPieceLength = 4 * 1024;
const mostPieceLength = 1024 * 1024;

/** The answer of GetStats, or that of QueryStats with one counter, in protobuf's binary form. */
export function encodeStat(name: string, bytesCounted: bigint): Uint8Array {
  const value = Int64.of(bytesCounted);
  const nameLength = Buffer.byteLength(name);
  const bytes = Buffer.allocUnsafe(nameLength + maxFrameLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = writeFrame(view, 0, nameLength, value);
  return bytes.subarray(0, writeFigure(view, at + bytes.write(name, at), value));
}

/**
 * Writes the answer of QueryStats in protobuf's binary form, byte for byte as protobuf-es does: names are copied as they lie
 * in the store, and no object is made for a counter.
 */
export class StatWriter {
  readonly #pieces: Uint8Array[] = [];
  #view = pieceOf(leastPieceLength);
  #length = 0;

  /** What was written, in pieces. The writer is not to be used any more. */
  finish(): readonly Uint8Array[] {
    this.#endPiece();
    return this.#pieces;
  }

  add(slab: CounterSlab, place: number, value: Int64): void {
    const nameLength = slab.nameStart(place + 1) - slab.nameStart(place);
    if (this.#length + nameLength + maxFrameLength > this.#view.byteLength) this.#nextPiece(nameLength);
    const view = this.#view;
    const at = writeFrame(view, this.#length, nameLength, value);
    this.#length = writeFigure(view, slab.copyName(place, view, at), value);
  }

  #nextPiece(nameLength: number): void {
    this.#endPiece();
    const length = Math.min(this.#view.byteLength * 4, mostPieceLength);
    this.#view = pieceOf(Math.max(length, nameLength + maxFrameLength));
  }

  #endPiece(): void {
    const { buffer, byteOffset } = this.#view;
    if (this.#length > 0) this.#pieces.push(new Uint8Array(buffer, byteOffset, this.#length));
    this.#length = 0;
  }
}

/** Room for a piece, whatever is in it: to clear it takes as long as to write it. */
function pieceOf(length: number): DataView {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(length);
  return new DataView(buffer, byteOffset, length);
}

/** Writes what is before a counter's name. @returns where that goes. */
function writeFrame(view: DataView, start: number, nameLength: number, value: Int64): number {
  const valueLength = value.isZero ? 0 : 1 + lengthOf(value.low, value.high);
  view.setUint8(start, statTag);
  const at = writeVarint(view, start + 1, 1 + lengthOf(nameLength) + nameLength + valueLength);
  view.setUint8(at, nameTag);
  return writeVarint(view, at + 1, nameLength);
}

/** Writes what is behind it: nothing, if that is 0. @returns where it ends. */
function writeFigure(view: DataView, at: number, value: Int64): number {
  if (value.isZero) return at;
  view.setUint8(at, valueTag);
  return writeVarint(view, at + 1, value.low, value.high);
}

/** How many bytes a number in two halves takes as a varint: seven bits each. */
function lengthOf(low: number, high = 0): number {
  let count = 1;
  // Four of them, with 28 bits, are of the lower half alone, and the fifth of both.
  if (high > 0) return high > 7 ? 5 + lengthOf(high >>> 3) : 5;
  for (let rest = low; rest > 0x7f; rest >>>= 7) count++;
  return count;
}

/** @returns where it ends. */
function writeVarint(view: DataView, at: number, low: number, high = 0): number {
  let [rest, restHigh, next] = [low, high, at];
  while (restHigh > 0 || rest > 0x7f) {
    view.setUint8(next++, (rest & 0x7f) | 0x80);
    rest = ((rest >>> 7) | (restHigh << 25)) >>> 0;
    restHigh >>>= 7;
  }
  view.setUint8(next++, rest);
  return next;
}

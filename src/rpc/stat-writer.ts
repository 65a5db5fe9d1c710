import type { CounterSlab } from "../stats/counter-slab.js";

/** Protobuf's tags: the field's number, and how its value is written. */
const statTag = (1 << 3) | 2;
const nameTag = (1 << 3) | 2;
const valueTag = (2 << 3) | 0;

/** What is larger is divided as a bigint, at ten times the price. */
const maxExact = BigInt(Number.MAX_SAFE_INTEGER);

/** Bytes that a Stat has at most beside its name: two tags with their lengths, and the value with its tag. */
const maxFrameLength = 1 + 5 + 1 + 5 + 1 + 10;
/** Sizes of the pieces: the first one for a few counters, each further one four times as large. */
const leastPieceLength = 4 * 1024;
const mostPieceLength = 1024 * 1024;

/** The answer of GetStats, or that of QueryStats with one counter, in protobuf's binary form. */
export function encodeStat(name: string, value: bigint): Uint8Array {
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

  add(slab: CounterSlab, place: number, value: bigint): void {
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
function writeFrame(view: DataView, start: number, nameLength: number, value: bigint): number {
  const valueLength = value === 0n ? 0 : 1 + lengthOfValue(value);
  view.setUint8(start, statTag);
  const at = writeLength(view, start + 1, 1 + lengthOf(nameLength) + nameLength + valueLength);
  view.setUint8(at, nameTag);
  return writeLength(view, at + 1, nameLength);
}

/** Writes what is behind it: nothing, if that is 0. @returns where it ends. */
function writeFigure(view: DataView, at: number, value: bigint): number {
  if (value === 0n) return at;
  view.setUint8(at, valueTag);
  return writeValue(view, at + 1, value);
}

/** How many bytes a length takes as a varint: seven bits each. */
function lengthOf(length: number): number {
  let count = 1;
  for (let rest = length; rest > 0x7f; rest >>>= 7) count++;
  return count;
}

function writeLength(view: DataView, at: number, length: number): number {
  let rest = length;
  let next = at;
  for (; rest > 0x7f; rest >>>= 7) view.setUint8(next++, (rest & 0x7f) | 0x80);
  view.setUint8(next++, rest);
  return next;
}

function lengthOfValue(value: bigint): number {
  if (value > maxExact) return 1 + lengthOfValue(value >> 7n);
  let count = 1;
  for (let rest = Number(value); rest > 0x7f; rest = Math.floor(rest / 0x80)) count++;
  return count;
}

function writeValue(view: DataView, at: number, value: bigint): number {
  let next = at;
  let large = value;
  for (; large > maxExact; large >>= 7n) view.setUint8(next++, Number(large & 0x7fn) | 0x80);
  let rest = Number(large);
  for (; rest > 0x7fffffff; rest = Math.floor(rest / 0x80)) view.setUint8(next++, (rest % 0x80) | 0x80);
  return writeLength(view, next, rest);
}

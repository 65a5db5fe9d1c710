import type { CounterSlab } from "../stats/counter-slab.js";
import type { Int64 } from "../stats/int64.js";

/** How long a piece is, in characters; it ends behind the counter that reaches it. */
const pieceLength = 64 * 1024;

/** Writes the answer of QueryStats in protobuf's JSON, character for character as protobuf-es does, in pieces. */
export class JsonStatWriter {
  readonly #pieces: Uint8Array[] = [];
  /** What is not in a piece yet. */
  #text = "";
  #count = 0;

  add(slab: CounterSlab, place: number, value: Int64): void {
    const beginning = this.#count === 0 ? '{"stat":[' : ",";
    // What is 0 is left out.
    const end = value.isZero ? "}" : `,"value":"${value.value}"}`;
    this.#text += `${beginning}{"name":${JSON.stringify(slab.nameAt(place))}${end}`;
    this.#count += 1;
    if (this.#text.length >= pieceLength) this.#endPiece();
  }

  /** What was written, in pieces. The writer is not to be used any more. */
  finish(): readonly Uint8Array[] {
    this.#text += this.#count === 0 ? "{}" : "]}";
    this.#endPiece();
    return this.#pieces;
  }

  #endPiece(): void {
    this.#pieces.push(Buffer.from(this.#text));
    this.#text = "";
  }
}

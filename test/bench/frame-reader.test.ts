import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { http2Frame } from "../helpers/raw-http.js";
import { FrameReader } from "./frame-reader.js";

const bytes = Buffer.concat([
  http2Frame(4, 0, 0, Buffer.from([0, 3, 0, 0, 0, 100])),
  http2Frame(1, 4, 1, Buffer.from("head")),
  http2Frame(0, 0, 1, Buffer.alloc(70_000)),
  http2Frame(0, 0, 1, Buffer.alloc(0)),
  http2Frame(1, 5, 3, Buffer.from("trailers")),
]);
const frames = [
  [4, 0, 0, 6, "000300000064"],
  [1, 4, 1, 4, Buffer.from("head").toString("hex")],
  [0, 0, 1, 70_000, ""],
  [0, 0, 1, 0, ""],
  [1, 5, 3, 8, Buffer.from("trailers").toString("hex")],
];

describe("FrameReader", () => {
  for (const pieceBytes of [1, 7, 9, 10, 16_384, bytes.length]) {
    it(`reads frames that arrive in pieces of ${pieceBytes} bytes, in a buffer that is used again`, () => {
      const seen: unknown[] = [];
      const reader = new FrameReader((type, flags, id, length, payload) => {
        seen.push([type, flags, id, length, payload.toString("hex")]);
      });
      const buffer = Buffer.alloc(pieceBytes);
      for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
        const count = bytes.copy(buffer, 0, offset, offset + pieceBytes);
        reader.read(buffer.subarray(0, count));
        buffer.fill(0xff);
      }
      assert.deepEqual(seen, frames);
    });
  }
});

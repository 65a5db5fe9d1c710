import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatByteSize } from "../../src/cli/byte-size.js";

describe("formatByteSize", () => {
  const table: readonly (readonly [bytes: bigint, text: string])[] = [
    [0n, "0"],
    [1n, "1.00B"],
    [1_023n, "1023.00B"],
    [1_024n, "1.00KB"],
    [1_536n, "1.50KB"],
    [1_048_575n, "1024.00KB"],
    [1_048_576n, "1.00MB"],
    [5n * 2n ** 30n, "5.00GB"],
    [2n ** 40n, "1.00TB"],
    [2n ** 50n, "1.00PB"],
    [2n ** 60n, "1.00EB"],
    [2n ** 63n - 1n, "8.00EB"],
    [2n ** 64n - 1n, "16.00EB"],
    // As V2Ray reads what is below zero.
    [-1n, "16.00EB"],
    // The half of a last digit goes to the even one.
    [1_152n, "1.12KB"],
    [1_408n, "1.38KB"],
    [1_664n, "1.62KB"],
    [1_920n, "1.88KB"],
    [1_029n, "1.00KB"],
    [1_030n, "1.01KB"],
  ];
  for (const [bytes, text] of table) {
    it(`writes ${bytes} bytes as V2Ray does: ${text}`, () => {
      assert.equal(formatByteSize(bytes), text);
    });
  }
});

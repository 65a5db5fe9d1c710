import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Int64 } from "../../src/stats/int64.js";

const values = [0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 1n, 2n ** 53n, 2n ** 63n - 1n];

describe("Int64", () => {
  for (const value of values) {
    it(`holds ${value}`, () => {
      const held = Int64.of(value);
      assert.equal(held.value, value);
      assert.equal(held.isZero, value === 0n);
    });

    it(`becomes the difference of ${value} and what is not larger, whatever it was before`, () => {
      const held = Int64.of(2n ** 63n - 1n);
      for (const less of values.filter((other) => other <= value)) {
        const halves = new Uint32Array(BigInt64Array.of(7n, less, value).buffer);
        held.setDifference(halves, 2, 1);
        assert.equal(held.value, value - less);
      }
    });
  }
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { median, quantile, rotated } from "./statistics.js";

describe("median", () => {
  for (const [values, expected] of [
    [[3], 3],
    [[3, 1, 2], 2],
    [[10, 1, 2, 3], 2.5],
    [[], NaN],
    [[1, NaN], NaN],
  ] as const) {
    it(`of ${JSON.stringify(values)} is ${expected}`, () => {
      assert.equal(median(values), expected);
    });
  }
});

describe("quantile", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  for (const [values, part, expected] of [
    [hundred, 0.99, 99],
    [hundred, 1, 100],
    [hundred, 0.5, 50],
    [[7, 3], 0.99, 7],
    [[7, 3], 0, 3],
    [[], 0.99, NaN],
  ] as const) {
    it(`${part} of ${values.length} values is ${expected}`, () => {
      assert.equal(quantile(values, part), expected);
    });
  }
});

describe("rotated", () => {
  it("begins a list at another place", () => {
    assert.deepEqual(
      [0, 1, 2, 3].map((by) => rotated(["a", "b", "c"], by).join("")),
      ["abc", "bca", "cab", "abc"],
    );
    assert.deepEqual(rotated([], 2), []);
  });
});

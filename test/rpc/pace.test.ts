import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Pace } from "../../src/rpc/pace.js";

/** The lengths of steps that take so long, one after the other, by sums that are exact. */
function lengthsOf(tookMs: readonly number[], pace = new Pace(0), startMs = 0): number[] {
  let usedMs = startMs;
  return tookMs.map((ms) => {
    const { length } = pace;
    usedMs += ms;
    pace.step(usedMs);
    return length;
  });
}

describe("Pace", () => {
  it("begins with one thing, and takes twice as many as long as that is quick", () => {
    const quick = Array.from({ length: 13 }, () => 0.015625);
    assert.deepEqual(lengthsOf(quick), [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_024, 1_024]);
  });

  it("takes half as many where they take long, and one at least", () => {
    assert.deepEqual(
      lengthsOf([0, 0, 0, 0, 0.625, 0.625, 3, 3, 3, 3, 3]),
      [1, 2, 4, 8, 16, 8, 4, 2, 1, 1, 1],
    );
  });

  it("leaves the length where it is while a step takes about what it should", () => {
    assert.deepEqual(lengthsOf([0, 0, 0, 0, 0.25, 0.375, 0.5, 0.25]), [1, 2, 4, 8, 16, 16, 16, 16]);
  });

  it("does not count what has been done before it", () => {
    assert.deepEqual(lengthsOf([0.125, 0.125], new Pace(4_096), 4_096), [1, 2]);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FairPlaces } from "../../src/rpc/fair-places.js";

/** Takes places for a holder until there are no more. */
function takeAll(places: FairPlaces<string>, holder: string): (() => void)[] {
  const taken: (() => void)[] = [];
  for (let leave = places.take(holder); leave !== undefined; leave = places.take(holder)) taken.push(leave);
  return taken;
}

describe("FairPlaces", () => {
  for (const [maxCount, counts] of [
    [1, [1, 0, 0, 0, 0]],
    [2, [1, 1, 0, 0, 0]],
    [5, [3, 1, 1, 0, 0]],
    [64, [48, 12, 3, 1, 0]],
  ] as const) {
    it(`gives ${counts[0]} of ${maxCount} to who is alone, and others of the rest`, () => {
      const places = new FairPlaces<string>(maxCount);
      assert.deepEqual(
        ["a", "b", "c", "d", "e"].map((holder) => takeAll(places, holder).length),
        counts,
      );
    });
  }

  it("has as many for each of those who ask in turn", () => {
    const places = new FairPlaces<string>(64);
    const counts = { a: 0, b: 0, c: 0 };
    for (let round = 0; round < 64; round++) {
      for (const holder of ["a", "b", "c"] as const) if (places.take(holder)) counts[holder] += 1;
    }
    assert.deepEqual(counts, { a: 19, b: 19, c: 19 });
  });

  it("gives a place that was left to whoever asks for it", () => {
    const places = new FairPlaces<string>(4);
    const [leave] = takeAll(places, "a");
    assert.equal(places.take("a"), undefined);
    leave?.();
    assert.equal(takeAll(places, "a").length, 1);
    assert.equal(takeAll(places, "b").length, 1);
    leave?.();
    assert.equal(takeAll(places, "c").length, 0);
  });
});

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
    [5, [2, 2, 1, 0, 0]],
    [64, [16, 16, 16, 16, 0]],
  ] as const) {
    it(`gives ${counts[0]} of ${maxCount} to one holder, and others the rest`, () => {
      const places = new FairPlaces<string>(maxCount);
      assert.deepEqual(
        ["a", "b", "c", "d", "e"].map((holder) => takeAll(places, holder).length),
        counts,
      );
    });
  }

  it("gives a place that was left to whoever asks for it", () => {
    const places = new FairPlaces<string>(4);
    const [leave] = takeAll(places, "a");
    assert.equal(places.take("a"), undefined);
    leave?.();
    assert.equal(takeAll(places, "a").length, 1);
    for (const holder of ["b", "c", "d"]) assert.equal(takeAll(places, holder).length, 1);
  });
});

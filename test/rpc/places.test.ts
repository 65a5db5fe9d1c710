import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { anybody, type Caller } from "../../src/rpc/caller.js";
import { Places } from "../../src/rpc/places.js";

const panel: Caller = { name: "panel", mayReset: false };
const strangerFrom = (source: string): Caller => ({
  ...{ name: undefined, mayReset: false, strangerFrom: source },
});

/** Takes places for as long as there are some; with what gives them back, and why there are no more. */
function takeAll(places: Places, caller: Caller) {
  const taken: (() => void)[] = [];
  for (;;) {
    const place = places.take(caller);
    if (!("release" in place)) return { taken, refusal: place };
    taken.push(place.release);
  }
}

describe("Places", () => {
  for (const [who, caller] of [
    ["anybody, where there are no secrets", anybody],
    ["who has a secret", panel],
  ] as const) {
    it(`has all of its places for ${who}, and has them again`, () => {
      const places = new Places(3);
      for (let round = 0; round < 2; round++) {
        const { taken, refusal } = takeAll(places, caller);
        assert.equal(taken.length, 3);
        assert.deepEqual(refusal, { count: 3, whose: "" });
        taken[0]?.();
        assert.equal(takeAll(places, caller).taken.length, 1);
        for (const release of taken) release();
      }
    });
  }

  it("has half as many for strangers, half of which one source may have, and has them again", () => {
    const places = new Places(8);
    for (let round = 0; round < 2; round++) {
      const first = takeAll(places, strangerFrom("192.0.2.1"));
      assert.equal(first.taken.length, 2);
      assert.deepEqual(first.refusal, { count: 2, whose: " without a secret from one address" });
      const second = takeAll(places, strangerFrom("192.0.2.2"));
      assert.equal(second.taken.length, 2);
      const third = takeAll(places, strangerFrom("192.0.2.3"));
      assert.equal(third.taken.length, 0);
      assert.deepEqual(third.refusal, { count: 4, whose: " without a secret" });
      for (const release of [...first.taken, ...second.taken]) release();
    }
  });

  it("has all for those with a secret whatever strangers have, and the other way round", () => {
    const places = new Places(8);
    takeAll(places, strangerFrom("192.0.2.1"));
    assert.equal(takeAll(places, panel).taken.length, 8);
    assert.equal(takeAll(places, strangerFrom("192.0.2.2")).taken.length, 2);
  });

  it("has one for a stranger however few there are", () => {
    const places = new Places(1);
    assert.equal(takeAll(places, strangerFrom("192.0.2.1")).taken.length, 1);
    assert.equal(takeAll(places, strangerFrom("192.0.2.2")).taken.length, 0);
    assert.equal(takeAll(places, panel).taken.length, 1);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CountsByKey } from "../../src/net/counts-by-key.js";

describe("CountsByKey", () => {
  it("counts what each has, and all together", () => {
    const counts = new CountsByKey<string>();
    counts.add("a", 3);
    counts.add("b", 4);
    counts.add("a", 2);
    assert.deepEqual([counts.get("a"), counts.get("b"), counts.get("c")], [5, 4, 0]);
    assert.equal(counts.total, 9);
  });

  it("remembers nobody who has none", () => {
    const counts = new CountsByKey<object>();
    const [one, other] = [{}, {}];
    counts.get(one);
    assert.equal(counts.size, 0);
    counts.add(one, 2);
    counts.add(other, 1);
    counts.add(one, -2);
    assert.deepEqual([counts.size, counts.get(one), counts.total], [1, 0, 1]);
  });

  it("takes back what was taken, once", () => {
    const counts = new CountsByKey<string>();
    const [first, second] = [counts.take("a"), counts.take("a")];
    assert.deepEqual([counts.get("a"), counts.total], [2, 2]);
    first();
    first();
    assert.deepEqual([counts.get("a"), counts.total], [1, 1]);
    second();
    assert.deepEqual([counts.get("a"), counts.total, counts.size], [0, 0, 0]);
  });
});

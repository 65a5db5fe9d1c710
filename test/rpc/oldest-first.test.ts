import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OldestFirst } from "../../src/rpc/oldest-first.js";

describe("OldestFirst", () => {
  it("has none at the beginning, and none when all were taken out", () => {
    const line = new OldestFirst<string>();
    assert.equal(line.oldest, undefined);
    line.add("a")();
    assert.equal(line.oldest, undefined);
    line.add("b");
    assert.equal(line.oldest, "b");
  });

  for (const order of ["abc", "acb", "bac", "bca", "cab", "cba"]) {
    it(`knows the oldest of those that are left, when they are taken out in the order ${order}`, () => {
      const line = new OldestFirst<string>();
      const takeOut = new Map(["a", "b", "c"].map((name) => [name, line.add(name)]));
      for (let taken = 1; taken <= 3; taken++) {
        takeOut.get(order.charAt(taken - 1))?.();
        assert.equal(line.oldest, Array.from(order.slice(taken)).sort()[0]);
      }
      line.add("d");
      line.add("e");
      assert.equal(line.oldest, "d");
    });
  }

  it("tells equal things apart", () => {
    const line = new OldestFirst<number>();
    const first = line.add(1);
    line.add(2);
    line.add(1);
    first();
    assert.equal(line.oldest, 2);
  });
});

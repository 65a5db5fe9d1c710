import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { turns } from "../helpers/timing.js";
import { inParallel } from "./in-parallel.js";

describe("inParallel()", () => {
  it("carries out each task once, so many at the same time", async () => {
    const done: number[] = [];
    let running = 0;
    let most = 0;
    await inParallel(10, 3, async (index) => {
      most = Math.max(most, ++running);
      await turns(index % 2);
      running -= 1;
      done.push(index);
    });
    assert.deepEqual(
      done.sort((one, other) => one - other),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.equal(most, 3);
  });

  it("fails with the first task that fails, and begins no other one", async () => {
    let begun = 0;
    const carriedOut = inParallel(100, 2, async (index) => {
      begun += 1;
      await turns(1);
      if (index === 4) throw new Error("four");
    });
    await assert.rejects(carriedOut, /four/);
    await turns(5);
    assert.ok(begun <= 6, `${begun}`);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SlicedWork, type Steps } from "../../src/rpc/sliced-work.js";
import { turns } from "../helpers/timing.js";

/** Works that take a millisecond a step, by a clock that nothing else moves. */
function createWork({ sliceMs = 5, roundMs = 250 } = {}) {
  let nowMs = 0;
  const log: string[] = [];
  function* steps(name: string, stepCount: number, onStep?: (usedMs: number) => void): Steps<string> {
    for (let step = 0; step < stepCount; step++) {
      nowMs += 1;
      log.push(name);
      const usedMs: number = yield;
      onStep?.(usedMs);
    }
    return `${name} is done`;
  }
  return { work: new SlicedWork({ sliceMs, roundMs, now: () => nowMs }), log, steps };
}

describe("SlicedWork", () => {
  it("does what is short at once", async () => {
    const { work, log, steps } = createWork();
    const done = work.run(steps("a", 3));
    assert.equal(log.length, 3);
    assert.equal(await done, "a is done");
  });

  it("lets the event loop turn after each slice", async () => {
    const { work, log, steps } = createWork();
    const done = work.run(steps("a", 12));
    const lengths = [log.length];
    for (let turn = 0; turn < 2; turn++) {
      await turns(1);
      lengths.push(log.length);
    }
    assert.deepEqual(lengths, [6, 11, 12]);
    assert.equal(await done, "a is done");
  });

  it("does new work before what has begun, which goes on in its order", async () => {
    const { work, log, steps } = createWork();
    const all = [work.run(steps("a", 12)), work.run(steps("b", 7)), work.run(steps("c", 1))];
    assert.equal(log.join(""), "aaaaaa");
    assert.deepEqual(await Promise.all(all), ["a is done", "b is done", "c is done"]);
    assert.equal(log.join(""), `${"a".repeat(6)}${"b".repeat(6)}c${"a".repeat(6)}b`);
  });

  it("gives new work that came late in a turn the rest of its slice before what has begun", async () => {
    const { work, log, steps } = createWork();
    const all = [work.run(steps("a", 12)), work.run(steps("b", 1)), work.run(steps("c", 4))];
    await Promise.all(all);
    assert.equal(log.join(""), ["aaaaaa", "b", "ccc", "c", "aaa", "aaa"].join(""));
  });

  it("lets what has begun go on, however much new work comes", async () => {
    const { work, log, steps } = createWork({ sliceMs: 2 });
    let isOver = false;
    const long = work.run(steps("l", 12)).then(() => (isOver = true));
    const keepComing = async (): Promise<void> => {
      while (!isOver) await work.run(steps("s", 2));
    };
    await Promise.all([long, keepComing(), keepComing(), keepComing()]);
    assert.ok(log.filter((name) => name === "s").length <= 60, log.join(""));
  });

  it("lets those take turns that take more than a round", async () => {
    const { work, log, steps } = createWork({ sliceMs: 5, roundMs: 10 });
    const all = [work.run(steps("a", 25)), work.run(steps("b", 12))];
    await Promise.all(all);
    assert.equal(
      log.join(""),
      ["aaaaaa", "bbbbbb", "aaaaa", "bbbbb", "aaaaa", "aaaaa", "b", "aaaa"].join(""),
    );
  });

  it("counts what is done twice, since an answer is made of it", async () => {
    const { work, log, steps } = createWork();
    const all = [work.run(steps("a", 3)), work.run(steps("b", 3))];
    assert.equal(log.join(""), "aaa");
    await Promise.all(all);
    assert.equal(log.join(""), "aaabbb");
  });

  it("asks a work that has had a slice for one step more, before others have their turn", async () => {
    const { work, log, steps } = createWork();
    const failing = work.run(
      steps("a", 12, (usedMs) => {
        if (usedMs >= work.sliceMs) throw new RangeError("too long");
      }),
    );
    const other = work.run(steps("b", 5));
    await assert.rejects(failing, RangeError);
    assert.equal(await other, "b is done");
    assert.equal(log.join(""), "aaaaabbbbb");
  });

  it("tells a work how long it has taken, the pauses left out", async () => {
    const { work, steps } = createWork({ sliceMs: 2 });
    const used: number[] = [];
    await Promise.all([work.run(steps("a", 5, (usedMs) => used.push(usedMs))), work.run(steps("b", 9))]);
    assert.deepEqual(used, [1, 2, 3, 4, 5]);
  });

  it("rejects with what a work throws, and goes on with the others", async () => {
    const { work, steps } = createWork({ sliceMs: 2 });
    const failing = work.run(
      steps("a", 5, (usedMs) => {
        if (usedMs > 3) throw new RangeError("too long");
      }),
    );
    const other = work.run(steps("b", 5));
    await assert.rejects(failing, RangeError);
    assert.equal(await other, "b is done");
  });
});

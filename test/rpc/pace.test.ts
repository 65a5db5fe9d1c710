import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Pace } from "../../src/rpc/pace.js";

/** A clock that stands until the test moves it: by halves of halves of milliseconds, whose sums are exact. */
function holdClock(t: TestContext): (ms: number) => void {
  let now = 1_024;
  t.mock.method(performance, "now", () => now);
  return (ms) => {
    now += ms;
  };
}

describe("Pace", () => {
  it("begins with one thing, and takes twice as many as long as that is quick", (t) => {
    const pass = holdClock(t);
    const pace = new Pace();
    const lengths: number[] = [];
    for (let step = 0; step < 13; step++) {
      lengths.push(pace.stepLength);
      pass(0.015625);
      assert.equal(pace.step(), undefined);
    }
    assert.deepEqual(lengths, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_024, 1_024]);
  });

  it("takes half as many where they take long, and one at least", (t) => {
    const pass = holdClock(t);
    const pace = new Pace();
    for (let step = 0; step < 4; step++) void pace.step();
    const lengths: number[] = [];
    for (let step = 0; step < 6; step++) {
      lengths.push(pace.stepLength);
      pass(0.625);
      void pace.step();
    }
    assert.deepEqual(lengths, [16, 8, 4, 2, 1, 1]);
  });

  it("leaves the length where it is while a step takes about what it should", (t) => {
    const pass = holdClock(t);
    const pace = new Pace();
    for (let step = 0; step < 4; step++) void pace.step();
    for (const ms of [0.25, 0.375, 0.5]) {
      pass(ms);
      void pace.step();
      assert.equal(pace.stepLength, 16);
    }
  });

  it("lets others have their turn after 2 ms, however many steps that were", async (t) => {
    const pass = holdClock(t);
    for (const stepMs of [0.125, 0.375, 1, 2, 50]) {
      const pace = new Pace();
      let pause: Promise<void> | undefined;
      let passed = 0;
      while (pause === undefined) {
        pass(stepMs);
        passed += stepMs;
        pause = pace.step();
      }
      assert.ok(passed >= 2 && passed < 2 + stepMs, `${passed} ms in steps of ${stepMs}`);
      await pause;
    }
  });

  it("waits for a turn of the event loop, and then begins anew", async (t) => {
    const pass = holdClock(t);
    const pace = new Pace();
    pass(2);
    const pause = pace.step();
    let isOver = false;
    void pause?.then(() => (isOver = true));
    await Promise.resolve();
    await Promise.resolve();
    assert.equal(isOver, false);
    // What others take is not what a step took.
    const { stepLength } = pace;
    pass(100);
    await pause;
    assert.equal(isOver, true);
    pass(0.125);
    assert.equal(pace.step(), undefined);
    assert.equal(pace.stepLength, stepLength * 2);
    pass(1.75);
    assert.equal(pace.step(), undefined);
    pass(0.125);
    const again = pace.step();
    assert.notEqual(again, undefined);
    await again;
  });

  it("lets the event loop turn in each pause", async (t) => {
    const pass = holdClock(t);
    const pace = new Pace();
    let turnCount = 0;
    for (let round = 1; round <= 10; round++) {
      setImmediate(() => (turnCount += 1));
      pass(3);
      await pace.step();
      assert.equal(turnCount, round);
    }
  });
});

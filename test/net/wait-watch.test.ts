import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { WaitWatch } from "../../src/net/wait-watch.js";

const tickMs = 100;

function watched(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const setTimer = t.mock.method(globalThis, "setTimeout");
  const watch = new WaitWatch({ tickMs });
  const pass = (ms = tickMs): void => {
    t.mock.timers.tick(ms);
  };
  return { watch, pass, timerCount: () => setTimer.mock.callCount() };
}

function createWaiter(waits = true) {
  const waiter = { waits, checkCount: 0, checkWait: () => ((waiter.checkCount += 1), waiter.waits) };
  return waiter;
}

describe("WaitWatch", () => {
  it("looks after a waiter at every tick, until it waits no longer", (t) => {
    const { watch, pass } = watched(t);
    const waiter = createWaiter();
    watch.add(waiter);
    pass(tickMs - 1);
    assert.equal(waiter.checkCount, 0);
    pass(1);
    assert.equal(waiter.checkCount, 1);
    pass();
    assert.equal(waiter.checkCount, 2);
    waiter.waits = false;
    pass();
    assert.equal(waiter.checkCount, 3);
    pass();
    assert.equal(waiter.checkCount, 3);
  });

  it("looks after one that is added again", (t) => {
    const { watch, pass } = watched(t);
    const waiter = createWaiter(false);
    for (const count of [1, 2]) {
      watch.add(waiter);
      watch.add(waiter);
      pass();
      pass();
      assert.equal(waiter.checkCount, count);
    }
  });

  it("looks after one that is added while it looks", (t) => {
    const { watch, pass } = watched(t);
    const second = createWaiter();
    watch.add({
      checkWait: () => {
        watch.add(second);
        return false;
      },
    });
    pass();
    pass();
    assert.ok(second.checkCount > 0);
  });

  it("forgets who will not wait any more at once", (t) => {
    const { watch, pass } = watched(t);
    const [gone, waiting] = [createWaiter(), createWaiter()];
    watch.add(gone);
    watch.add(waiting);
    watch.delete(gone);
    // Nobody that it knows.
    watch.delete(createWaiter());
    pass();
    assert.deepEqual([gone.checkCount, waiting.checkCount], [0, 1]);
  });

  it("has one timer for all of them, and none while nobody waits", (t) => {
    const { watch, pass, timerCount } = watched(t);
    assert.equal(timerCount(), 0);
    const waiters = Array.from({ length: 10 }, () => createWaiter());
    for (const waiter of waiters) watch.add(waiter);
    assert.equal(timerCount(), 1);
    for (const waiter of waiters) waiter.waits = false;
    pass();
    pass();
    assert.equal(timerCount(), 1);
    assert.deepEqual(
      waiters.map(({ checkCount }) => checkCount),
      waiters.map(() => 1),
    );
  });

  it("does not keep the process running", () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    new WaitWatch().add(createWaiter());
    assert.equal(timers(), before);
  });
});

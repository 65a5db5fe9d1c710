import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IdleTimer } from "../../src/net/idle-timer.js";

const io = { timeout: 5_000 };
const idleMs = 15;

/*
 * Timers of the same length fire in the order in which they were started, however slow the machine is: what a timer that
 * was started later has seen is what the tests go by. (The mocked timers of node:test do not know `refresh()`.)
 */

/** Resolves when everything has fired that was started before with the same length. */
async function later(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, idleMs));
}

describe("IdleTimer", () => {
  it("calls back when nothing has happened for its time", io, async () => {
    const start = performance.now();
    await new Promise<void>((resolve) => new IdleTimer(idleMs, resolve));
    // A timer counts whole milliseconds.
    assert.ok(performance.now() - start >= idleMs - 1);
  });

  it("calls back only after what was started before it", io, async () => {
    const order: string[] = [];
    new IdleTimer(idleMs, () => order.push("idle"));
    await later().then(() => order.push("later"));
    assert.deepEqual(order, ["idle", "later"]);
  });

  it("begins anew whenever something happens", io, async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      const timer = new IdleTimer(idleMs, () => {
        order.push("idle");
        resolve();
      });
      const happen = (): void => {
        order.push("something");
        if (order.length < 4) setTimeout(happen, idleMs);
        timer.touch();
      };
      happen();
    });
    assert.deepEqual(order, [...Array<string>(4).fill("something"), "idle"]);
  });

  it("calls back once, whatever happens then", io, async (t) => {
    let count = 0;
    const timer = new IdleTimer(idleMs, () => {
      count++;
      timer.touch();
    });
    t.after(() => {
      timer.stop();
    });
    await later();
    assert.equal(count, 1);
    timer.touch();
    await later();
    timer.touch();
    await later();
    assert.equal(count, 1);
  });

  it("does not call back once it is stopped, whatever happens then", io, async () => {
    let count = 0;
    const timer = new IdleTimer(idleMs, () => count++);
    timer.touch();
    timer.stop();
    timer.stop();
    await later();
    timer.touch();
    await later();
    assert.equal(count, 0);
  });

  it("can be stopped after it has called back, and while it does", io, async () => {
    let count = 0;
    const timer = new IdleTimer(idleMs, () => {
      count++;
      timer.stop();
    });
    await later();
    timer.stop();
    timer.touch();
    await later();
    assert.equal(count, 1);
  });
});

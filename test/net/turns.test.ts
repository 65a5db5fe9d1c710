import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Turns } from "../../src/net/turns.js";
import { turns } from "../helpers/timing.js";

/** Tasks that begin when it is their turn, and end when the test says so. */
class Tasks {
  /** The names of those that have begun, in order. */
  readonly begun: string[] = [];
  readonly #ends: (() => void)[] = [];

  readonly task = (name: string) => async (): Promise<string> => {
    this.begun.push(name);
    await new Promise<void>((resolve) => this.#ends.push(resolve));
    return name;
  };

  /** Ends the one that has run longest, and lets the next one begin. */
  async end(): Promise<void> {
    this.#ends.shift()?.();
    await turns(1);
  }
}

describe("Turns", () => {
  const options = { maxRunningCount: 2, maxWaitingCount: 2, maxWaitMs: 100 };

  it("runs a task at once where there is room, and returns what it does", async () => {
    const tasks = new Tasks();
    const ran = new Turns(options).run(tasks.task("one"));
    assert.deepEqual(tasks.begun, ["one"]);
    await tasks.end();
    assert.equal(await ran, "one");
  });

  it("lets others wait, in order, and refuses more", async () => {
    const tasks = new Tasks();
    const queue = new Turns(options);
    const ran = ["one", "two", "three", "four"].map(async (name) => queue.run(tasks.task(name)));
    await assert.rejects(queue.run(tasks.task("five")), { message: "2 others wait already" });
    assert.deepEqual(tasks.begun, ["one", "two"]);
    await tasks.end();
    assert.deepEqual(tasks.begun, ["one", "two", "three"]);
    const further = queue.run(tasks.task("six"));
    for (let ended = 0; ended < 4; ended++) await tasks.end();
    assert.deepEqual(tasks.begun, ["one", "two", "three", "four", "six"]);
    assert.deepEqual(await Promise.all([...ran, further]), ["one", "two", "three", "four", "six"]);
  });

  it("never runs more than it may, however tasks end", async () => {
    const queue = new Turns({ ...options, maxWaitingCount: 100, maxWaitMs: 60_000 });
    let runningCount = 0;
    let mostCount = 0;
    const ran = Array.from({ length: 50 }, async (_, index) =>
      queue.run(async () => {
        mostCount = Math.max(mostCount, ++runningCount);
        await turns(index % 3);
        runningCount -= 1;
        if (index % 2 === 0) throw new Error("no");
      }),
    );
    const outcomes = await Promise.allSettled(ran);
    assert.equal(mostCount, 2);
    assert.equal(outcomes.filter(({ status }) => status === "rejected").length, 25);
  });

  it("has room again after a task that threw", async () => {
    const queue = new Turns({ ...options, maxRunningCount: 1, maxWaitingCount: 0 });
    const fault = (): never => {
      throw new Error("no");
    };
    for (let attempt = 0; attempt < 3; attempt++) await assert.rejects(queue.run(fault), { message: "no" });
  });

  it("does not begin what has waited too long, but what comes after it", async (t) => {
    let nowMs = 0;
    t.mock.method(performance, "now", () => nowMs);
    const tasks = new Tasks();
    const queue = new Turns({ ...options, maxRunningCount: 1 });
    const first = queue.run(tasks.task("first"));
    const stale = assert.rejects(queue.run(tasks.task("stale")), {
      message: "its turn did not come within 100 ms",
    });
    nowMs = 1;
    const fresh = queue.run(tasks.task("fresh"));
    nowMs = 101;
    await tasks.end();
    await stale;
    assert.deepEqual(tasks.begun, ["first", "fresh"]);
    await tasks.end();
    assert.deepEqual(await Promise.all([first, fresh]), ["first", "fresh"]);
    const last = queue.run(tasks.task("last"));
    await tasks.end();
    assert.equal(await last, "last");
  });
});

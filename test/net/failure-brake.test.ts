import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { FailureBrake, type FailureBrakeOptions, type ScheduleOptions } from "../../src/net/failure-brake.js";

/** A brake whose time only the test moves on, and what it has answered. */
function createBrake(t: TestContext, options: FailureBrakeOptions = {}) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let time = 0;
  const slowed: string[] = [];
  const brake = new FailureBrake({
    ...{ freeCount: 2, windowMs: 60_000, delayMs: 2_000, ...options },
    onSlowed: (source) => slowed.push(source),
    now: () => time,
  });
  const answered: string[] = [];
  return {
    answered,
    slowed,
    /** @returns how to call it off. */
    fail: (source: string, name = source, options: ScheduleOptions = {}) =>
      brake.schedule(source, () => answered.push(name), options),
    pass: (ms: number) => {
      time += ms;
      t.mock.timers.tick(ms);
    },
  };
}

/** How many timers keep the process. */
function timerCount(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}

describe("FailureBrake", () => {
  it("answers the first failures of a source at once, and those that follow after the delay", (t) => {
    const { fail, answered, pass } = createBrake(t);
    for (const name of ["1", "2", "3", "4"]) fail("a", name);
    assert.deepEqual(answered, ["1", "2"]);
    pass(1_999);
    assert.deepEqual(answered, ["1", "2"]);
    pass(1);
    assert.deepEqual(answered, ["1", "2", "3", "4"]);
  });

  it("answers ten at once by default, and what follows after two seconds", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const brake = new FailureBrake();
    let answeredCount = 0;
    for (let count = 0; count < 11; count++) brake.schedule("a", () => answeredCount++);
    assert.equal(answeredCount, 10);
    t.mock.timers.tick(2_000);
    assert.equal(answeredCount, 11);
  });

  it("knows sources apart", (t) => {
    const { fail, answered } = createBrake(t);
    for (const source of ["a", "a", "a", "b", "c"]) fail(source);
    assert.deepEqual(answered, ["a", "a", "b", "c"]);
  });

  it("begins anew when the window of a source has passed since its first failure", (t) => {
    const { fail, answered, pass } = createBrake(t);
    fail("a");
    pass(59_999);
    fail("a");
    fail("a", "late");
    assert.deepEqual(answered, ["a", "a"]);
    pass(1);
    fail("a", "anew");
    assert.deepEqual(answered, ["a", "a", "anew"]);
  });

  it("says once in each window of a source that it is slowed", (t) => {
    const { fail, slowed, pass } = createBrake(t);
    for (const source of ["a", "a", "b", "a", "a", "a"]) fail(source);
    assert.deepEqual(slowed, ["a"]);
    pass(60_000);
    for (let count = 0; count < 4; count++) fail("a");
    assert.deepEqual(slowed, ["a", "a"]);
  });

  it("does not answer what is called off", (t) => {
    const { fail, answered, pass } = createBrake(t, { freeCount: 0 });
    const callOff = fail("a", "gone");
    fail("a", "there");
    callOff?.();
    callOff?.();
    pass(2_000);
    assert.deepEqual(answered, ["there"]);
    callOff?.();
  });

  it("lets no more wait than may, and has room again when one is answered", (t) => {
    const { fail, answered, pass } = createBrake(t, { freeCount: 0, maxWaiting: 2 });
    assert.ok(fail("a", "1") !== undefined);
    pass(1_000);
    assert.ok(fail("b", "2") !== undefined);
    assert.equal(fail("c", "3"), undefined);
    pass(1_000);
    assert.ok(fail("c", "4") !== undefined);
    assert.equal(fail("d", "5"), undefined);
    pass(2_000);
    assert.deepEqual(answered, ["1", "2", "4"]);
    assert.ok(fail("e", "6") !== undefined);
    assert.ok(fail("e", "7") !== undefined);
  });

  it("gives a source no more than its share of the places, so that those of others are answered late, too", (t) => {
    const { fail, answered, pass } = createBrake(t, { freeCount: 0, maxWaiting: 3, maxWaitingPerSource: 2 });
    assert.ok(fail("a", "1") !== undefined);
    pass(1_000);
    assert.ok(fail("a", "2") !== undefined);
    assert.equal(fail("a", "3"), undefined);
    assert.ok(fail("b", "4") !== undefined);
    assert.equal(fail("c", "5"), undefined);
    pass(1_000);
    assert.ok(fail("a", "6") !== undefined);
    assert.equal(fail("a", "7"), undefined);
    pass(2_000);
    assert.deepEqual(answered, ["1", "2", "4", "6"]);
    for (const name of ["8", "9"]) assert.ok(fail("a", name) !== undefined);
    assert.equal(fail("a", "10"), undefined);
  });

  it("keeps the place of what is called off until its delay is over", (t) => {
    const { fail, answered, pass } = createBrake(t, { freeCount: 0, maxWaiting: 3, maxWaitingPerSource: 2 });
    for (const name of ["1", "2"]) fail("a", name)?.();
    fail("b", "3")?.();
    for (const source of ["a", "b", "c"]) assert.equal(fail(source, "4"), undefined);
    pass(1_999);
    for (const source of ["a", "b", "c"]) assert.equal(fail(source, "5"), undefined);
    pass(1);
    for (const name of ["6", "7"]) assert.ok(fail("a", name) !== undefined);
    assert.ok(fail("b", "8") !== undefined);
    pass(2_000);
    assert.deepEqual(answered, ["6", "7", "8"]);
  });

  it("does not keep the process for the place of what is called off", () => {
    const brake = new FailureBrake({ freeCount: 0 });
    const before = timerCount();
    const callOff = brake.schedule("a", () => undefined);
    assert.equal(timerCount(), before + 1);
    callOff?.();
    assert.equal(timerCount(), before);
  });

  it("lets sixty-four of a source and 1,024 in all wait by default", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const brake = new FailureBrake({ freeCount: 0 });
    const fail = (source: string) => brake.schedule(source, () => undefined) !== undefined;
    for (let source = 0; source < 16; source++) {
      for (let count = 0; count < 64; count++) assert.ok(fail(`${source}`));
      assert.equal(fail(`${source}`), false);
    }
    assert.equal(fail("another"), false);
    t.mock.timers.tick(2_000);
    assert.ok(fail("another"));
  });

  it("answers what waits when there is no more time, once, and then has nothing wait", (t) => {
    const { fail, answered, pass, slowed } = createBrake(t, { freeCount: 0, maxWaiting: 4 });
    const ending = new AbortController();
    const hurry = ending.signal;
    const callOff = fail("a", "gone", { hurry });
    callOff?.();
    fail("a", "1", { hurry });
    fail("b", "2", { hurry });
    fail("b", "there is time");
    ending.abort();
    assert.deepEqual(answered, ["1", "2"]);
    fail("a", "3", { hurry });
    assert.deepEqual(answered, ["1", "2", "3"]);
    pass(2_000);
    assert.deepEqual(answered, ["1", "2", "3", "there is time"]);
    assert.deepEqual(slowed, ["a", "b"]);
    for (const name of ["4", "5", "6", "7"]) assert.ok(fail("c", name) !== undefined);
  });

  it("forgets the source whose window began first when there are too many", (t) => {
    const { fail, answered } = createBrake(t, { freeCount: 1, maxSources: 2 });
    for (const source of ["a", "b", "a", "c"]) fail(source);
    assert.deepEqual(answered, ["a", "b", "c"]);
    fail("b", "b is known");
    fail("a", "a is forgotten");
    assert.deepEqual(answered, ["a", "b", "c", "a is forgotten"]);
  });
});

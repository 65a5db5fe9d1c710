import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { startDialDeadline } from "../../src/net/dial-deadline.js";
import { DialError } from "../../src/net/dial-error.js";

const hour = 3_600_000;
const timeout = new DialError("timeout", "connect to a:1: no answer within 1000 ms");
const aborted = new DialError("aborted", "connect to a:1: given up");

describe("startDialDeadline", () => {
  it("aborts when the time is over, and not before", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { signal } = startDialDeadline("connect to a:1", 1_000, undefined);
    t.mock.timers.tick(999);
    assert.equal(signal.aborted, false);
    t.mock.timers.tick(1);
    assert.deepEqual(signal.reason, timeout);
  });

  it("aborts when it is given up", () => {
    const giveUp = new AbortController();
    const deadline = startDialDeadline("connect to a:1", hour, giveUp.signal);
    assert.equal(deadline.signal.aborted, false);
    giveUp.abort();
    assert.deepEqual(deadline.signal.reason, aborted);
    deadline.clear();
  });

  it("is over at once where it is given up before", () => {
    const deadline = startDialDeadline("connect to a:1", hour, AbortSignal.abort());
    assert.deepEqual(deadline.signal.reason, aborted);
    deadline.clear();
  });

  it("keeps its first reason", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const giveUp = new AbortController();
    const { signal } = startDialDeadline("connect to a:1", 1_000, giveUp.signal);
    t.mock.timers.tick(1_000);
    giveUp.abort();
    assert.deepEqual(signal.reason, timeout);
  });

  it("tells the one who asked last, once, and why", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const giveUp = new AbortController();
    const deadline = startDialDeadline("connect to a:1", 1_000, giveUp.signal);
    const told: unknown[] = [];
    deadline.whenOver(() => told.push("before"));
    deadline.whenOver((reason) => told.push(reason));
    assert.equal(deadline.reason, undefined);
    t.mock.timers.tick(1_000);
    giveUp.abort();
    assert.deepEqual(told, [timeout]);
    assert.deepEqual(deadline.reason, timeout);
    // Whoever asks for a signal only now is told, too.
    assert.equal(deadline.signal.reason, deadline.reason);
  });

  it("leaves nothing behind when it is cleared, and never aborts then", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const giveUp = new AbortController();
    const deadline = startDialDeadline("connect to a:1", 1_000, giveUp.signal);
    deadline.clear();
    assert.equal(getEventListeners(giveUp.signal, "abort").length, 0);
    t.mock.timers.tick(1_000);
    giveUp.abort();
    assert.equal(deadline.signal.aborted, false);
  });
});

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { unlessAborted } from "../../src/net/unless-aborted.js";
import { turns } from "../helpers/timing.js";
import { failOnUnhandled } from "../helpers/unhandled.js";

const io = { timeout: 10_000 };
const never = new Promise<never>(() => undefined);
const broken = new Error("broken");

function listenerCounts(...controllers: readonly AbortController[]): number[] {
  return controllers.map(({ signal }) => getEventListeners(signal, "abort").length);
}

describe("unlessAborted", () => {
  failOnUnhandled();

  it("is what the promise is, and listens no more", io, async () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const waiting = unlessAborted(Promise.resolve(5), one.signal, other.signal);
    assert.deepEqual(listenerCounts(one, other), [1, 1]);
    assert.equal(await waiting, 5);
    assert.deepEqual(listenerCounts(one, other), [0, 0]);
    await assert.rejects(unlessAborted(Promise.reject(broken), one.signal, other.signal), broken);
    assert.deepEqual(listenerCounts(one, other), [0, 0]);
  });

  it("rejects with the reason of the first signal to abort, and listens no more", io, async () => {
    for (const index of [0, 1]) {
      const controllers = [new AbortController(), new AbortController()];
      const waiting = unlessAborted(never, ...controllers.map(({ signal }) => signal));
      controllers[index]?.abort(broken);
      await assert.rejects(waiting, broken);
      assert.deepEqual(listenerCounts(...controllers), [0, 0]);
    }
  });

  it("does not wait where a signal has aborted already", io, async () => {
    const other = new AbortController();
    await assert.rejects(unlessAborted(never, other.signal, AbortSignal.abort(broken)), broken);
    assert.deepEqual(listenerCounts(other), [0]);
  });

  it("rejects with an error, whatever the reason is", io, async () => {
    await assert.rejects(unlessAborted(never, AbortSignal.abort()), { name: "AbortError" });
    await assert.rejects(unlessAborted(never, AbortSignal.abort("enough")), {
      message: "aborted",
      cause: "enough",
    });
  });

  it("leaves a failure behind the abort to nobody, and not to the process", io, async () => {
    const controller = new AbortController();
    const failing = turns(2).then(async () => Promise.reject(new Error("late")));
    const waiting = unlessAborted(failing, controller.signal);
    controller.abort(broken);
    await assert.rejects(waiting, broken);
    await turns(5);
  });
});

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { firstAbort } from "../../src/rpc/first-abort.js";
import { turns } from "../helpers/timing.js";

function listenerCounts(controllers: readonly AbortController[]): number[] {
  return controllers.map(({ signal }) => getEventListeners(signal, "abort").length);
}

describe("firstAbort()", { timeout: 10_000 }, () => {
  for (const index of [0, 1]) {
    it(`waits for the first of its signals, and leaves no listener behind: number ${index}`, async () => {
      const controllers = [new AbortController(), new AbortController()];
      let isOver = false;
      const aborted = firstAbort(...controllers.map(({ signal }) => signal)).then(() => (isOver = true));
      await turns(2);
      assert.equal(isOver, false);
      assert.deepEqual(listenerCounts(controllers), [1, 1]);
      controllers[index]?.abort();
      await aborted;
      assert.deepEqual(listenerCounts(controllers), [0, 0]);
    });
  }

  it("does not wait for what has happened already", async () => {
    const controller = new AbortController();
    await firstAbort(controller.signal, AbortSignal.abort());
    assert.deepEqual(listenerCounts([controller]), [0]);
  });
});

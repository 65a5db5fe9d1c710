import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { untilAborted } from "../../src/rpc/until-aborted.js";
import { collectGarbage } from "../helpers/gc.js";
import { until } from "../helpers/timing.js";

/** Items, and then nothing for ever. */
async function* stalled<T>(...items: readonly T[]): AsyncGenerator<T> {
  yield* items;
  await new Promise(() => undefined);
}

async function* ending<T>(...items: readonly T[]): AsyncGenerator<T> {
  yield* items;
  return Promise.resolve();
}

/** Things without end, each one new. */
async function* objects(): AsyncGenerator<object> {
  for (;;) yield await Promise.resolve({});
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list = [];
  for await (const item of items) list.push(item);
  return list;
}

describe("untilAborted()", { timeout: 10_000 }, () => {
  it("has the items of a stream that ends", async () => {
    assert.deepEqual(await all(untilAborted(ending(1, 2, 3), new AbortController().signal)), [1, 2, 3]);
  });

  it("ends a stream that waits when one of the signals aborts", async () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const seen: number[] = [];
    for await (const item of untilAborted(stalled(1, 2), one.signal, other.signal)) {
      seen.push(item);
      if (item === 2) {
        setImmediate(() => {
          other.abort();
        });
      }
    }
    assert.deepEqual(seen, [1, 2]);
    assert.equal(getEventListeners(one.signal, "abort").length, 0);
  });

  it("asks for nothing after the abort, whoever could go on", async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    for await (const item of untilAborted(stalled(1), controller.signal)) {
      seen.push(item);
      controller.abort();
    }
    assert.deepEqual(seen, [1]);
  });

  it("fails as the stream does", async () => {
    const failing = (async function* () {
      yield 1;
      return Promise.reject(new Error("broken"));
    })();
    await assert.rejects(all(untilAborted(failing, new AbortController().signal)), /^Error: broken$/);
  });

  it("keeps none of the items that it has handed over", async () => {
    const stopping = new AbortController();
    const seen: WeakRef<object>[] = [];
    for await (const item of untilAborted(objects(), stopping.signal, new AbortController().signal)) {
      seen.push(new WeakRef(item));
      if (seen.length < 100) continue;
      // The last of them is still in hand.
      const keptCount = (): number => seen.filter((ref) => ref.deref() !== undefined).length;
      await until(() => {
        collectGarbage();
        return keptCount() <= 1;
      });
      return;
    }
  });
});

import assert from "node:assert/strict";
import { constants, PerformanceObserver, type PerformanceEntry } from "node:perf_hooks";
import { describe, it } from "node:test";
import { GcWatch } from "../../src/rpc/gc-watch.js";
import { collectGarbage } from "../helpers/gc.js";
import { turns, until } from "../helpers/timing.js";

function kindOf(entry: PerformanceEntry): number {
  // The types lack the detail that such entries have.
  return (entry as unknown as { detail: { kind: number } }).detail.kind;
}

describe("GcWatch", { timeout: 10_000 }, () => {
  it("counts the collections since it was created, and what they took", async () => {
    const watch = new GcWatch();
    const before = watch.read();
    for (let round = 0; round < 3; round++) collectGarbage();
    await until(() => watch.read().count >= before.count + 3);
    const after = watch.read();
    assert.ok(after.pauseMs > before.pauseMs);
    assert.ok(after.pauseMs < 10_000);
    watch[Symbol.dispose]();
  });

  it("counts none twice", async () => {
    const watch = new GcWatch();
    collectGarbage("minor");
    collectGarbage();
    await until(() => watch.read().count >= 2);
    const { count } = watch.read();
    assert.ok(count < 20);
    assert.ok(watch.read().count - count <= 1);
    watch[Symbol.dispose]();
  });

  it("does not count the steps of incremental marking", async () => {
    const watch = new GcWatch();
    const kinds: number[] = [];
    const observer = new PerformanceObserver((list) => {
      kinds.push(...list.getEntries().map(kindOf));
    });
    observer.observe({ entryTypes: ["gc"] });
    const { NODE_PERFORMANCE_GC_INCREMENTAL, NODE_PERFORMANCE_GC_MINOR, NODE_PERFORMANCE_GC_MAJOR } =
      constants;
    let kept: unknown[] = [];
    while (!kinds.includes(NODE_PERFORMANCE_GC_INCREMENTAL)) {
      kept =
        kept.length > 2_000_000
          ? []
          : kept.concat(Array.from({ length: 100_000 }, (_, index) => ({ index })));
      await turns(1);
    }
    collectGarbage();
    await turns(5);
    kinds.push(...observer.takeRecords().map(kindOf));
    observer.disconnect();
    const whole = kinds.filter(
      (kind) => kind === NODE_PERFORMANCE_GC_MINOR || kind === NODE_PERFORMANCE_GC_MAJOR,
    );
    assert.ok(whole.length > 0);
    assert.equal(watch.read().count, whole.length);
    watch[Symbol.dispose]();
  });

  it("does not count what was before it", async () => {
    for (let round = 0; round < 20; round++) collectGarbage();
    await turns(5);
    const watch = new GcWatch();
    assert.ok(watch.read().count < 20);
    watch[Symbol.dispose]();
  });

  it("counts no more after it is disposed, and may be disposed twice", async () => {
    const watch = new GcWatch();
    watch[Symbol.dispose]();
    watch[Symbol.dispose]();
    const { count } = watch.read();
    for (let round = 0; round < 5; round++) collectGarbage();
    await turns(5);
    assert.equal(watch.read().count, count);
  });
});

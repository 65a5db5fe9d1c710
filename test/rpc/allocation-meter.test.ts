import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AllocationMeter } from "../../src/rpc/allocation-meter.js";
import { collectGarbage } from "../helpers/gc.js";

/** Allocates about that many megabytes of JavaScript objects and drops them. */
function allocate(megabytes: number): number {
  let kept = 0;
  for (let index = 0; index < megabytes * 10; index++) {
    const objects = Array.from({ length: 1_000 }, (_, number) => ({ number, text: [number, index, kept] }));
    kept += objects.length;
  }
  return kept;
}

const megabyte = 1_000_000;

describe("AllocationMeter", { timeout: 20_000 }, () => {
  it("starts near zero, whatever the process allocated before", () => {
    allocate(50);
    const meter = new AllocationMeter();
    assert.ok(meter.read() < 10 * megabyte);
    meter[Symbol.dispose]();
  });

  it("never falls, and grows with what is allocated, collected or not", () => {
    const meter = new AllocationMeter();
    const readings = [meter.read()];
    for (let round = 0; round < 20; round++) {
      allocate(5);
      readings.push(meter.read());
      collectGarbage(round % 2 === 0 ? "minor" : "major");
      readings.push(meter.read());
    }
    assert.deepEqual(
      readings,
      readings.toSorted((a, b) => a - b),
    );
    const total = readings.at(-1) ?? 0;
    assert.ok(total > 50 * megabyte, `${total} bytes of about 100 MB`);
    assert.ok(total < 1_000 * megabyte, `${total} bytes of about 100 MB`);
    meter[Symbol.dispose]();
  });

  it("does not grow by collecting alone", () => {
    const meter = new AllocationMeter();
    collectGarbage();
    const before = meter.read();
    for (let round = 0; round < 5; round++) collectGarbage();
    assert.ok(meter.read() - before < 5 * megabyte);
    meter[Symbol.dispose]();
  });

  it("does not count again what outlives a collection", () => {
    const meter = new AllocationMeter();
    const kept = Array.from({ length: 200_000 }, (_, number) => ({ number, text: [number] }));
    collectGarbage();
    const before = meter.read();
    for (let round = 0; round < 10; round++) collectGarbage();
    assert.ok(meter.read() - before < 10 * megabyte);
    assert.ok(before > 5 * megabyte);
    assert.equal(kept.length, 200_000);
    meter[Symbol.dispose]();
  });

  it("meters in spite of another one beside it", () => {
    const meters = [new AllocationMeter(), new AllocationMeter()] as const;
    allocate(20);
    collectGarbage();
    for (const meter of meters) assert.ok(meter.read() > 5 * megabyte);
    for (const meter of meters) meter[Symbol.dispose]();
  });

  it("may be disposed twice", () => {
    const meter = new AllocationMeter();
    meter[Symbol.dispose]();
    assert.doesNotThrow(() => {
      meter[Symbol.dispose]();
    });
  });

  it("empties its profiler once a minute, unasked", (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const meter = new AllocationMeter();
    allocate(20);
    collectGarbage();
    t.mock.timers.tick(60_000);
    const total = meter.read();
    assert.ok(total > 5 * megabyte);
    meter[Symbol.dispose]();
  });
});

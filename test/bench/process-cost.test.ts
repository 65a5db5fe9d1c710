import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { describe, it } from "node:test";
import { cpuMsOf, descriptorsOf, rssBytesOf } from "./process-cost.js";

describe("what a process costs", () => {
  it("is the processor time of its threads", () => {
    const before = cpuMsOf(process.pid);
    const { user, system } = process.cpuUsage();
    let now = process.cpuUsage();
    while (now.user + now.system - user - system < 60_000) now = process.cpuUsage();
    const tookMs = cpuMsOf(process.pid) - before;
    // Of a thread that has the processor, the kernel knows its time as of its last tick.
    assert.ok(tookMs >= 40 && tookMs < 1_000, `${tookMs} ms`);
  });

  it("is its memory and its descriptors", () => {
    const count = descriptorsOf(process.pid);
    const descriptor = openSync("/dev/null", "r");
    try {
      assert.equal(descriptorsOf(process.pid), count + 1);
      assert.ok(rssBytesOf(process.pid) > 10 * 2 ** 20);
    } finally {
      closeSync(descriptor);
    }
  });
});

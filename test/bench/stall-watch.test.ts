import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { StallWatch } from "./stall-watch.js";

function spin(ms: number): void {
  const { user, system } = process.cpuUsage();
  for (;;) {
    const now = process.cpuUsage();
    if (now.user + now.system - user - system >= ms * 1_000) return;
  }
}

describe("StallWatch", () => {
  it("tells for how long the event loop was kept, and by how much work", async () => {
    const watch = new StallWatch();
    await setTimeout(5);
    spin(60);
    await setTimeout(5);
    const { wallMs, cpuMs } = watch.stop();
    // Other threads of the process may have had a part of it.
    assert.ok(wallMs >= 25 && cpuMs >= 20, `${wallMs} ms, ${cpuMs} ms of the processor`);
  });

  it("looks a last time when it is stopped", () => {
    const watch = new StallWatch();
    spin(60);
    assert.ok(watch.stop().wallMs >= 25);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { closeAfter } from "../helpers/sockets.js";
import { failOnUnhandled } from "../helpers/unhandled.js";
import { needsProcessStatus } from "./process-report.js";
import { carryOut } from "./run.js";
import { smallRuns } from "./runs.js";

describe("an endurance run in small", needsProcessStatus, () => {
  failOnUnhandled();

  for (const run of smallRuns()) {
    it(`leaves nothing behind: ${run.name}, ${run.amount}`, { timeout: run.timeoutMs * 2 }, async (t) => {
      closeAfter(t);
      const { facts, figures, before, after } = await carryOut(run, { settleMs: 10_000 });
      const broken = facts.filter(({ holds }) => !holds).map(({ text }) => text);
      assert.deepEqual(broken, []);
      assert.ok(facts.length > 10);
      assert.ok(figures.length > 0);
      assert.ok(before !== undefined && after !== undefined);
      assert.ok(Object.values(after.counters).some((bytes) => bytes > 0));
    });
  }
});

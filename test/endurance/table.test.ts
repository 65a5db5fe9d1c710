import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ProcessReport } from "./process-report.js";
import type { Run } from "./run.js";
import { formatResults } from "./table.js";

const megabyte = 2 ** 20;

const run: Run = {
  ...{ name: "trial", amount: "3 things", repetitionCount: 1, descriptorCount: 1, timeoutMs: 1 },
  limits: { rssGrowthBytes: 1, heapGrowthBytes: 1, peakBytes: 1 },
  repeat: async () => Promise.resolve(),
  check: () => undefined,
};

function report(megabytes: number): ProcessReport {
  return {
    ...{ rssBytes: megabytes * megabyte, peakRssBytes: 99 * megabyte, heapBytes: megabyte / 2, cpuMs: 1 },
    ...{ descriptorCount: 1_021, resources: {}, connectionCount: 0, counters: {} },
  };
}

describe("the table of endurance runs", () => {
  it("has a line for each run, with what is broken and other figures below", () => {
    const good = { text: "all is well", holds: true };
    const bad = { text: "something leaks", holds: false };
    const shown = formatResults([
      {
        run,
        durationMs: 1_234,
        facts: [good],
        figures: ["1 KiB each"],
        before: report(50),
        after: report(51),
      },
      { run: { ...run, name: "next" }, durationMs: 60_000, facts: [good, bad], figures: [] },
    ]);
    assert.deepEqual(shown.split("\n"), [
      "| run   | what     | took   | RSS MiB before/peak/after | heap MiB before/after | descriptors before/after | facts         |",
      "| ----- | -------- | ------ | ------------------------- | --------------------- | ------------------------ | ------------- |",
      "| trial | 3 things | 1.2 s  | 50.0 / 99.0 / 51.0        | 0.5 / 0.5             | 1,021 / 1,021            | all 1 hold    |",
      "| next  | 3 things | 60.0 s | ? / ? / ?                 | ? / ?                 | ? / ?                    | 1 of 2 BROKEN |",
      "",
      "trial:",
      "- 1 KiB each",
      "",
      "next:",
      "- BROKEN: something leaks",
      "",
    ]);
  });
});

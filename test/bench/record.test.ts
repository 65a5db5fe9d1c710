import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeRun } from "./record.js";
import { formatRun } from "./report.js";

describe("the record of a run", () => {
  it("says on what it was measured, and which versions there were", () => {
    const { date, machine, versions, scale } = describeRun(0.5);
    assert.equal(scale, 0.5);
    assert.match(date, /^\d{4}-\d\d-\d\d$/);
    assert.ok(machine.cores > 0 && machine.memoryGiB > 0 && machine.kernel !== "" && machine.cpu !== "");
    for (const name of ["v2ray-api", "Node", "@grpc/grpc-js", "connect-node"])
      assert.match(versions[name] ?? "", /^\d+\.\d+\.\d+/, name);
    for (const name of ["V2Ray", "h2load"])
      assert.match(versions[name] ?? "", /^(\d+\.\d+|not installed$)/, name);
  });

  it("is a few lines for people", () => {
    const machine = { cpu: "A CPU", cores: 2, memoryGiB: 8, kernel: "Linux 6.1" };
    const versions = { Node: "20.20.0", V2Ray: "not installed" };
    const run = { date: "2026-01-02", machine, versions, scale: 1 };
    const lines = [
      "Measured on 2026-01-02, on 2 × A CPU with 8 GiB of memory, Linux 6.1.",
      "With Node 20.20.0, V2Ray not installed.",
    ];
    assert.deepEqual(formatRun(run).split("\n"), lines);
    assert.deepEqual(formatRun({ ...run, scale: 0.1 }).split("\n"), [
      ...lines,
      "A look only: loads and sizes were 0.1 of what is said below.",
    ]);
  });
});

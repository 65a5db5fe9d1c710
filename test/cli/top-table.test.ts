import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatTopTable } from "../../src/cli/top-table.js";
import type { Traffic } from "../../src/client/traffic-rates.js";

const fast: Traffic = { tag: "fast", up: 2_048n, down: 5n * 2n ** 30n, upRate: 1_024n, downRate: 100n };
const idle: Traffic = { tag: "idle", up: 1n, down: 0n, upRate: 0n, downRate: 0n };
const fresh: Traffic = { tag: "fresh", up: 1n, down: 2n, upRate: undefined, downRate: undefined };

describe("formatTopTable", () => {
  const heading = "Up/s        Down/s      Up          Down        User";
  const fastLine = "1.00KB      100.00B     2.00KB      5.00GB      fast";
  const idleLine = "0           0           1.00B       0           idle";

  it("writes a line each, in the order given, and the sum of all", () => {
    assert.deepEqual(formatTopTable("User", [fast, idle]), [
      heading,
      fastLine,
      idleLine,
      "",
      "1.00KB      100.00B     2.00KB      5.00GB      all 2",
    ]);
  });

  it("says that there are no rates yet", () => {
    assert.deepEqual(formatTopTable("Inbound", [fresh]), [
      "Up/s        Down/s      Up          Down        Inbound",
      "-           -           1.00B       2.00B       fresh",
      "",
      "-           -           1.00B       2.00B       all 1",
    ]);
  });

  it("shows that there is nobody", () => {
    const sum = "0           0           0           0           all 0";
    assert.deepEqual(formatTopTable("User", []), [heading, "", sum]);
  });

  it("shows as many as there is room for, and the sum of all", () => {
    const sum = "1.00KB      100.00B     2.00KB      5.00GB      all 3, 2 not shown";
    assert.deepEqual(formatTopTable("User", [fast, idle, idle], { maxLines: 4 }), [
      heading,
      fastLine,
      "",
      sum,
    ]);
    assert.deepEqual(formatTopTable("User", [fast, idle, idle], { maxLines: 1 }), [
      heading,
      "",
      "1.00KB      100.00B     2.00KB      5.00GB      all 3, 3 not shown",
    ]);
  });

  it("colours who moves something, and dims who does not", () => {
    assert.deepEqual(formatTopTable("User", [fast, idle], { coloured: true }), [
      `\u001b[7m${heading}\u001b[0m`,
      "\u001b[32m1.00KB      \u001b[0m\u001b[36m100.00B     \u001b[0m2.00KB      5.00GB      fast",
      `\u001b[2m${idleLine}\u001b[0m`,
      "",
      "\u001b[1m1.00KB      100.00B     2.00KB      5.00GB      all 2\u001b[0m",
    ]);
  });

  it("lets no name do anything to the terminal", () => {
    for (const coloured of [false, true]) {
      const [, line] = formatTopTable("User", [{ ...idle, tag: "\u001b[31m\n" }, fast], { coloured });
      assert.match(line ?? "", /\\u001b\[31m\\u000a/);
    }
  });
});

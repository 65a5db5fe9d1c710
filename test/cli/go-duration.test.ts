import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatGoDuration } from "../../src/cli/go-duration.js";

const second = 1_000_000_000n;

describe("formatGoDuration", () => {
  const table: readonly (readonly [ns: bigint, text: string])[] = [
    [0n, "0s"],
    [1n, "1ns"],
    [999n, "999ns"],
    [1_000n, "1µs"],
    [1_100n, "1.1µs"],
    [408_564n, "408.564µs"],
    [999_999n, "999.999µs"],
    [1_000_000n, "1ms"],
    [2_200_000n, "2.2ms"],
    [100_000_000n, "100ms"],
    [second - 1n, "999.999999ms"],
    [second, "1s"],
    [second + 500_000_000n, "1.5s"],
    [10n * second, "10s"],
    [59n * second + 1n, "59.000000001s"],
    [60n * second, "1m0s"],
    [3_599n * second, "59m59s"],
    [3_600n * second, "1h0m0s"],
    [3_725n * second, "1h2m5s"],
    [3_725n * second + 1_000_000n, "1h2m5.001s"],
    [2n ** 32n * second, "1193046h28m16s"],
  ];
  for (const [ns, text] of table) {
    it(`writes ${ns} ns as Go does: ${text}`, () => {
      assert.equal(formatGoDuration(ns), text);
    });
  }
});

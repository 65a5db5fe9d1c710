import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDuration } from "../../src/config/duration.js";

describe("parseDuration", () => {
  const right: readonly (readonly [text: string, ms: number])[] = [
    ["0", 0],
    ["+0", 0],
    ["0s", 0],
    ["0h0m0s", 0],
    ["300ms", 300],
    ["5s", 5_000],
    ["+5s", 5_000],
    ["1m30s", 90_000],
    ["30s1m", 90_000],
    ["1s1s", 2_000],
    ["1h15m30.918s", 4_530_918],
    ["1.5h", 5_400_000],
    ["1.s", 1_000],
    [".5s", 500],
    ["0.000s", 0],
    ["007s", 7_000],
    ["2d", 172_800_000],
    ["1d1h", 90_000_000],
    ["1500us", 1.5],
    ["1500\u00b5s", 1.5],
    ["1500\u03bcs", 1.5],
    ["2000000ns", 2],
    ["1ns", 1e-6],
    ["100000h", 360_000_000_000],
  ];
  for (const [text, ms] of right) {
    it(`reads ${text} as ${ms} ms`, () => {
      const read = parseDuration(text);
      assert.ok(read !== undefined && Math.abs(read - ms) <= ms * 1e-12, String(read));
    });
  }

  const wrong: readonly string[] = [
    "",
    "5",
    "+",
    "-5s",
    "-0",
    "--5s",
    "++5s",
    "s",
    ".s",
    ".",
    "1..5s",
    "1.5.5s",
    "5 s",
    " 5s",
    "5s ",
    "5s\n",
    "5S",
    "5sec",
    "5min",
    "5w",
    "5M",
    "1e3s",
    "0x5s",
    "1_000s",
    "1,5s",
    "1m30",
    "٥s",
    "Infinitys",
    "never",
  ];
  for (const text of wrong) {
    it(`reads nothing from ${JSON.stringify(text)}`, () => {
      assert.equal(parseDuration(text), undefined);
    });
  }

  it("takes no longer for a long text than it has to", () => {
    for (const text of ["1".repeat(1_000_000), "1s".repeat(300_000) + "x", `${"1.".repeat(300_000)}s`]) {
      const begin = performance.now();
      assert.equal(parseDuration(text), undefined);
      assert.ok(performance.now() - begin < 1_000);
    }
  });
});

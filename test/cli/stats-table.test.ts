import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatStatsTable, sortByName } from "../../src/cli/stats-table.js";

describe("formatStatsTable", () => {
  it("prints nothing where there is nothing", () => {
    assert.equal(formatStatsTable([]), "");
  });

  it("numbers the rows, however many, and sums beyond what a counter holds", () => {
    const most = 2n ** 63n - 1n;
    const stats = Array.from({ length: 1_000 }, (_, index) => ({
      name: `n${`${index}`.padStart(4, "0")}`,
      value: index < 2 ? most : 0n,
    }));
    const lines = formatStatsTable(stats).split("\n");
    assert.equal(lines.length, 1 + 1_000 + 3);
    assert.deepEqual(
      [lines[1], lines[3], lines[1_000]],
      ["1   8.00EB      n0000", "3   0           n0002", "10000           n0999"],
    );
    assert.equal(lines.at(-2), "Total: 16.00EB");
  });

  it("shows what a name has that a terminal would obey", () => {
    assert.match(formatStatsTable([{ name: "\u001b[2J", value: 1n }]), /^1 {3}1\.00B {7}\\u001b\[2J$/m);
  });
});

describe("sortByName", () => {
  it("compares the bytes of UTF-8, as Go does, and leaves what it was given", () => {
    // JavaScript itself compares UTF-16, where the fox is below the letter.
    const names = ["🦊", "Ａ", "b", "", "a", "é", "Z"];
    const stats = names.map((name) => ({ name, value: 0n }));
    assert.deepEqual(
      sortByName(stats).map(({ name }) => name),
      ["", "Z", "a", "b", "é", "Ａ", "🦊"],
    );
    assert.deepEqual(
      stats.map(({ name }) => name),
      names,
    );
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mergeStats, type Stat } from "../../src/client/merge-stats.js";

function stats(...values: readonly (readonly [name: string, value: bigint])[]): readonly Stat[] {
  return values.map(([name, value]) => ({ name, value }));
}

describe("mergeStats", () => {
  const table: readonly (readonly [
    title: string,
    answers: readonly (readonly Stat[])[],
    read: readonly Stat[],
    reset: readonly Stat[],
  ])[] = [
    ["no answer", [], [], []],
    ["an empty answer", [[]], [], []],
    [
      "answers that have nothing in common",
      [stats(["b", 1n]), stats(["a", 2n])],
      stats(["b", 1n], ["a", 2n]),
      stats(["b", 1n], ["a", 2n]),
    ],
    [
      "a counter that has moved between two calls",
      [stats(["a", 5n]), stats(["a", 7n], ["b", 1n])],
      stats(["a", 7n], ["b", 1n]),
      stats(["a", 12n], ["b", 1n]),
    ],
    ["a counter that an answer has twice", [stats(["a", 5n], ["a", 0n])], stats(["a", 0n]), stats(["a", 5n])],
    [
      "values beyond what a number holds",
      [stats(["a", 2n ** 62n]), stats(["a", 2n ** 62n + 1n])],
      stats(["a", 2n ** 62n + 1n]),
      stats(["a", 2n ** 63n + 1n]),
    ],
  ];
  for (const [title, answers, read, reset] of table) {
    it(`takes the last value of ${title}`, () => {
      assert.deepEqual(mergeStats(answers, false), read);
    });
    it(`sums what was reset, of ${title}`, () => {
      assert.deepEqual(mergeStats(answers, true), reset);
    });
  }
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMatcher, type Matcher } from "../../src/stats/matcher.js";

const names = [
  "inbound>>>socks>>>traffic>>>uplink",
  "inbound>>>socks>>>traffic>>>downlink",
  "user>>>alice>>>traffic>>>uplink",
  "user>>>a.b>>>traffic>>>uplink",
];

function compile(pattern: string): Matcher {
  const regexp = new RegExp(pattern);
  return (name) => regexp.test(name);
}

function compileNothing(): never {
  throw new Error("substrings are not compiled");
}

describe("createMatcher", () => {
  const substringCases: readonly (readonly [readonly string[], readonly number[]])[] = [
    [[], [0, 1, 2, 3]],
    [[""], [0, 1, 2, 3]],
    [["user>>>"], [2, 3]],
    [["uplink"], [0, 2, 3]],
    [
      ["alice", "downlink"],
      [1, 2],
    ],
    [["nobody", "alice"], [2]],
    [
      ["nobody", ""],
      [0, 1, 2, 3],
    ],
    [["nobody"], []],
    [["User"], []],
    [["a.b"], [3]],
    [["^user"], []],
    [["("], []],
  ];
  for (const [patterns, expected] of substringCases) {
    it(`finds the substrings ${JSON.stringify(patterns)}`, () => {
      const matches = createMatcher({ patterns }, compileNothing);
      assert.deepEqual(
        names.filter(matches),
        expected.map((index) => names[index]),
      );
    });
  }

  const regexpCases: readonly (readonly [readonly string[], readonly number[]])[] = [
    [[], [0, 1, 2, 3]],
    [[""], [0, 1, 2, 3]],
    [["^user"], [2, 3]],
    [["a.[bi]"], [2, 3]],
    [
      ["^inbound.*downlink$", "alice"],
      [1, 2],
    ],
    [["^nobody$"], []],
  ];
  for (const [patterns, expected] of regexpCases) {
    it(`finds the expressions ${JSON.stringify(patterns)}`, () => {
      const matches = createMatcher({ patterns, regexp: true }, compile);
      assert.deepEqual(
        names.filter(matches),
        expected.map((index) => names[index]),
      );
    });
  }

  it("compiles every expression before anything is matched, and each once", () => {
    const compiled: string[] = [];
    const matches = createMatcher({ patterns: ["a", "b"], regexp: true }, (pattern) => {
      compiled.push(pattern);
      return () => false;
    });
    assert.deepEqual(compiled, ["a", "b"]);
    names.filter(matches);
    assert.deepEqual(compiled, ["a", "b"]);
  });

  it("passes on what the compiler throws at a bad expression, wherever it stands", () => {
    assert.throws(() => createMatcher({ patterns: ["a", "("], regexp: true }, compile), SyntaxError);
  });
});

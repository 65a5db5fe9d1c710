import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { showChoices, showKind, showValue } from "../../src/config/shown-value.js";

describe("showValue", () => {
  const cases: readonly (readonly [value: unknown, shown: string])[] = [
    ["", '""'],
    ["a b", '"a b"'],
    ['a "b"', '"a \\"b\\""'],
    ["line\nbreak\u001b", '"line\\nbreak\\u001b"'],
    [0, "0"],
    [-1.5, "-1.5"],
    [Infinity, "Infinity"],
    [true, "true"],
    [null, "null"],
    [["secret"], "a list"],
    [{ password: "secret" }, "an object"],
    [undefined, "a undefined"],
    [10n, "a bigint"],
    ["https://alice:secret@panel.example", '"https://…@panel.example"'],
    ["https://panel.example/@alice", '"https://panel.example/@alice"'],
    ["alice@example.com", '"alice@example.com"'],
  ];
  for (const [value, shown] of cases) {
    it(`shows ${shown}`, () => {
      assert.equal(showValue(value), shown);
    });
  }

  it("shows a string whole that takes 60 characters with its quotes", () => {
    const text = "x".repeat(58);
    assert.equal(showValue(text), `"${text}"`);
  });

  it("shortens a longer string to 60 characters with its quotes", () => {
    assert.equal(showValue("x".repeat(59)), `"${"x".repeat(57)}…"`);
    assert.equal(showValue("x".repeat(1_000_000)).length, 60);
  });

  it("cuts no character in half", () => {
    assert.equal(showValue("😀".repeat(100)), `"${"😀".repeat(57)}…"`);
  });
});

describe("showKind", () => {
  const cases: readonly (readonly [value: unknown, kind: string])[] = [
    ["alice:secret", "a string"],
    [5, "a number"],
    [false, "a boolean"],
    [null, "null"],
    [[], "a list"],
    [{}, "an object"],
  ];
  for (const [value, kind] of cases) {
    it(`says ${kind}`, () => {
      assert.equal(showKind(value), kind);
    });
  }
});

describe("showChoices", () => {
  const letters = "abcdefghijk".split("");

  it("shows one choice", () => {
    assert.equal(showChoices(["a"]), '"a"');
  });

  it("shows all of eight choices", () => {
    assert.equal(showChoices(letters.slice(0, 8)), '"a", "b", "c", "d", "e", "f", "g", "h"');
  });

  it("shows the first eight of more choices, and how many more there are", () => {
    assert.equal(showChoices(letters), '"a", "b", "c", "d", "e", "f", "g", "h" and 3 more');
  });

  it("shortens each choice", () => {
    assert.equal(showChoices(["x".repeat(100)]).length, 60);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatGoJson, withoutZeros, type GoJsonValue } from "../../src/cli/go-json.js";

describe("formatGoJson", () => {
  const table: readonly (readonly [value: GoJsonValue, text: string])[] = [
    [{}, "{}"],
    [[], "[]"],
    [{ b: 1, a: [{}, "x"] }, '{\n    "a": [\n        {},\n        "x"\n    ],\n    "b": 1\n}'],
    [{ value: 2n ** 63n - 1n }, '{\n    "value": 9223372036854775807\n}'],
    ["<&>\u007fé🦊", '"<&>\u007fé🦊"'],
    ['"\\\n\t\u0001', '"\\"\\\\\\n\\t\\u0001"'],
    ["\u2028\u2029", '"\\u2028\\u2029"'],
    [{ NumGoroutine: 1, NumGC: 2 }, '{\n    "NumGC": 2,\n    "NumGoroutine": 1\n}'],
  ];
  for (const [value, text] of table) {
    it(`writes ${text.replaceAll(/\s+/g, " ")}, and an empty line`, () => {
      assert.equal(formatGoJson(value), `${text}\n\n`);
    });
  }

  it("leaves out what says nothing, if told to", () => {
    assert.deepEqual(
      withoutZeros({ a: 0, b: 0n, c: "", d: [], e: {}, f: 1n, g: "0", h: [0], i: { x: 0n } }),
      {
        ...{ f: 1n, g: "0", h: [0], i: { x: 0n } },
      },
    );
  });
});

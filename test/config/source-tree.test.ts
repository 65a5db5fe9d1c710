import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseTree } from "jsonc-parser";
import { findTooDeepBracket, maxNesting } from "../../src/config/nesting.js";
import { findRepeatedKeys, locate, toValue } from "../../src/config/source-tree.js";

function treeOf(text: string) {
  const root = parseTree(text);
  assert.ok(root);
  return root;
}

describe("toValue", () => {
  const texts = [
    '{"a": [1, -2.5e3, "x", true, false, null, {}, []], "b": {"c": "\\u00e4\\n"}}',
    '{"": 1, "constructor": 2, "length": 3}',
    "[]",
    '"x"',
    "null",
    '{"a": 1, "b": 2, "a": 3}',
  ];
  for (const text of texts) {
    it(`is what JSON.parse makes of ${text}`, () => {
      assert.deepEqual(toValue(treeOf(text)), JSON.parse(text));
    });
  }

  it("keeps a key __proto__ and the prototype", () => {
    const value = toValue(treeOf('{"__proto__": {"polluted": true}}'));
    assert.ok(typeof value === "object" && value !== null);
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.deepEqual(Object.keys(value), ["__proto__"]);
    assert.equal("polluted" in value, false);
  });
});

describe("locate", () => {
  const text = '{ "a": [10, {"b": "x"}], "c": 1, "c": 22 }';
  const sliceOf = (path: readonly (string | number)[], at: "key" | "value") => {
    const { offset, length } = locate(treeOf(text), path, at);
    return text.slice(offset, offset + length);
  };

  const cases: readonly (readonly [
    path: readonly (string | number)[],
    at: "key" | "value",
    slice: string,
  ])[] = [
    [[], "value", text],
    [["a"], "value", '[10, {"b": "x"}]'],
    [["a"], "key", '"a"'],
    [["a", 0], "value", "10"],
    [["a", 1, "b"], "value", '"x"'],
    [["a", 1, "b"], "key", '"b"'],
    [["c"], "value", "22"],
    [["missing"], "value", text],
    [["a", 1, "missing", "too"], "value", '{"b": "x"}'],
    [["a", 7], "value", '[10, {"b": "x"}]'],
    [["a", "b"], "value", '[10, {"b": "x"}]'],
  ];
  for (const [path, at, slice] of cases) {
    it(`finds the ${at} of ${JSON.stringify(path)}`, () => {
      assert.equal(sliceOf(path, at), slice);
    });
  }
});

describe("findRepeatedKeys", () => {
  const cases: readonly (readonly [text: string, paths: readonly (readonly (string | number)[])[]])[] = [
    ['{"a": 1, "b": 2}', []],
    ['{"a": {"a": {"a": 1}}}', []],
    ['[{"a": 1}, {"a": 1}]', []],
    ['{"a": 1, "a": 1}', [["a"]]],
    ['{"a": 1, "a": 2, "a": 3}', [["a"], ["a"]]],
    ['{"a": 1, "\\u0061": 2}', [["a"]]],
    ['{"x": [0, {"a": 1, "a": 2}]}', [["x", 1, "a"]]],
    ['{"a": {"b": 1, "b": 2}, "a": {"b": 1, "b": 2}}', [["a", "b"], ["a"], ["a", "b"]]],
    ['{"__proto__": 1, "__proto__": 2}', [["__proto__"]]],
    ['"x"', []],
  ];
  for (const [text, paths] of cases) {
    it(`finds ${JSON.stringify(paths)} in ${text}`, () => {
      assert.deepEqual(
        findRepeatedKeys(treeOf(text)).map(({ path }) => path),
        paths,
      );
    });
  }

  it("points at the later key", () => {
    assert.deepEqual(findRepeatedKeys(treeOf('{"a": 1, "a": 2}'))[0]?.span, { offset: 9, length: 3 });
  });
});

describe("findTooDeepBracket", () => {
  const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

  it("finds nothing at the limit", () => {
    assert.equal(findTooDeepBracket(nested(maxNesting)), undefined);
  });

  it("finds the first bracket beyond the limit", () => {
    assert.equal(findTooDeepBracket(nested(maxNesting + 1)), maxNesting);
    assert.equal(findTooDeepBracket(`  ${nested(maxNesting + 50)}`), maxNesting + 2);
  });

  it("counts objects like lists", () => {
    assert.equal(findTooDeepBracket('{"a":['.repeat(maxNesting)), (maxNesting / 2) * '{"a":['.length);
  });

  it("does not count brackets side by side", () => {
    assert.equal(findTooDeepBracket("[],{},".repeat(1000)), undefined);
  });

  it("does not count brackets in strings and comments", () => {
    const brackets = "[{".repeat(1000);
    assert.equal(findTooDeepBracket(`["${brackets}"] // ${brackets}\n /* ${brackets} */`), undefined);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { scanSource } from "../../src/config/shown-source.js";

function shown(text: string): string {
  return scanSource(text)
    .map((token) => token.shown)
    .join("");
}

describe("scanSource", () => {
  const cases: readonly (readonly [what: string, text: string, shown?: string])[] = [
    ["keys", '{"a": {"b": {}, "c": []}}'],
    ["true, false and null", '{"a": [true, false, null]}'],
    ["strings and numbers", '{"a": ["b", 1, -2.5e3], "c": "d"}', '{"a": […, …, …], "c": …}'],
    ["keys behind comments", '{/* x */ "a" // y\n: 1}', '{/* … "a" // …: …}'],
    ["strings that are one before a colon in a list", '["a", "b": 1]', '[…, "b": …]'],
    ["a line comment", '{"a": {}} // x', '{"a": {}} // …'],
    ["a block comment", '{"a": /* x */ {}}', '{"a": /* … {}}'],
    ["tabs", '{\t"a":\t{}}', '{  "a":  {}}'],
    ["line breaks", '{\r\n"a":\n{}\r}', '{"a":{}}'],
    ["control characters in keys", '{"\u0000\u001b\u007f\u0080\u009b": {}}', '{"·····": {}}'],
    ["escapes in keys", '{"\\u001b\\n": {}}'],
    ["a list that is not closed", '{"a": {"b": [', '{"a": {"b": ['],
    ["a key without a colon", '{"a" "x"}', "{… …}"],
    ["a key without a comma before it", '{"a": 1 "b": 2}', '{"a": … …: …}'],
    ["a string behind a comma", '{"a": 1, "b"}', '{"a": …, …}'],
    ["a string before a second colon", '{"a": "b": 1}', '{"a": …: …}'],
    ["words", "{a: b, c}", "{…: …, …}"],
    ["words at the end", "abc", "…"],
    ["other quotes", "['a', `b`, “c”]", "[…, …, …]"],
    ["words that begin like others", "[truex, nullx]", "[…, …]"],
    ["a string that is not closed", '["abc\n]', "[…]"],
    ["a comment that is not closed", "[ /* abc", "[ /* …"],
    ["control characters", "[\u0000\u001b\u009b]", "[…]"],
  ];
  for (const [what, text, expected = text] of cases) {
    it(`shows ${what} so that anyone may see it`, () => {
      assert.equal(shown(text), expected);
    });
  }

  // JSON has four blanks; there are more that look like one, or like nothing.
  const lookalikes: readonly (readonly [name: string, character: string])[] = [
    ["a vertical tab", "\v"],
    ["a form feed", "\f"],
    ["a no-break space", "\u00a0"],
    ["a byte order mark", "\uFEFF"],
    ["an ideographic space", "\u3000"],
    ["a line separator", "\u2028"],
  ];
  for (const [name, character] of lookalikes) {
    it(`hides a word behind ${name}`, () => {
      assert.equal(shown(`{"a": ${character}word}`), '{"a": …}');
    });
  }

  for (const text of ['{"a": [1, "b"], // c\r\n\t"d": /* e\n */ null }\n', "{a: 'b' \"c\n [}} 1.2.3", ""]) {
    it(`covers the text from end to end: ${JSON.stringify(text)}`, () => {
      const tokens = scanSource(text);
      assert.equal(tokens.map((token) => token.text).join(""), text);
      assert.ok(tokens.every((token) => token.text === text.slice(token.offset).slice(0, token.text.length)));
      assert.ok(tokens.every((token) => token.text !== ""));
    });
  }
});

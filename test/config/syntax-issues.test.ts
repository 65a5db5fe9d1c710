import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { blamedText, configErrorOf, textIssueLines } from "./issues.js";
import { parseConfig } from "../../src/config/parse-config.js";

describe("a syntax error", () => {
  const cases: readonly (readonly [text: string, line: string, blamed: string])[] = [
    ["", "not valid JSON: expected a value", ""],
    ["// nothing", "not valid JSON: expected a value", ""],
    ['{"log" {}}', "not valid JSON: expected a colon between key and value", "{"],
    ['{"log": {} "route": {}}', "not valid JSON: expected a comma before this", '"route"'],
    ['{"log": }', "log: not valid JSON: expected a value", "}"],
    [
      '{"log": {"disabled": yes}}',
      "log.disabled: not valid JSON: text stands in double quotes; the only bare words are true, false and null",
      "yes",
    ],
    ["{,}", "not valid JSON: expected a value", ","],
    ['{"inbounds": [1,, 2]}', "inbounds: not valid JSON: expected a value", ","],
    [
      "{log: 5}",
      "not valid JSON: text stands in double quotes; the only bare words are true, false and null",
      "log",
    ],
    [
      "{'log': 5}",
      "not valid JSON: text stands in double quotes; the only bare words are true, false and null",
      "'log'",
    ],
    ['{"log": "x\n}', "not valid JSON: the string is not closed by a double quote on its line", '"x'],
    [
      '{"log": "\\x"}',
      'not valid JSON: a backslash in a string stands before one of " \\ / b f n r t u',
      '"\\x"',
    ],
    ['{"log": "\\u12"}', "not valid JSON: expected four hexadecimal digits after \\u", '"\\u12"'],
    [
      '{"log": "a\tb"}',
      "not valid JSON: a control character in a string is written as an escape, a tab as \\t",
      '"a\tb"',
    ],
    ['{"log": 1.}', "not valid JSON: the number is incomplete", "1."],
    ["{} /* open", "not valid JSON: the comment is not closed by */", "/* open"],
    ['{"log": {}', 'not valid JSON: expected a closing "}"', ""],
    ['{"inbounds": [', 'inbounds: not valid JSON: expected a closing "]"', ""],
    ["{}}", "not valid JSON: expected nothing after the end of the config", "}"],
    ["{} {}", "not valid JSON: expected nothing after the end of the config", "{"],
  ];
  for (const [text, line, blamed] of cases) {
    it(`is one issue: ${JSON.stringify(text)}`, () => {
      assert.deepEqual(textIssueLines(text), [line]);
    });

    it(`is where it says: ${JSON.stringify(text)}`, () => {
      assert.deepEqual(
        blamedText(text).map(([, source]) => source),
        [blamed],
      );
    });
  }

  it("is reported once for each line", () => {
    const text = `{
      "log": { "level": info },
      "inbounds": [ {} {} ],
      "route": { final: "x" }
    }`;
    assert.deepEqual(blamedText(text), [
      ["log.level", "info"],
      ["inbounds", "{"],
      ["route", "final"],
    ]);
  });

  it("keeps the commas of other lines out", () => {
    assert.deepEqual(blamedText('{\n"log": {"level": "info},\n"route": 5\n}'), [["log", '"info},']]);
  });

  it("keeps the brackets behind a missing colon out", () => {
    assert.deepEqual(blamedText('{\n"log" {}\n}'), [["", "{"]]);
  });

  it("hides what the values are, which would be guesses", () => {
    assert.deepEqual(textIssueLines('{"log": 5,\n"log": 6\n"nonsense": 7}'), [
      "not valid JSON: expected a comma before this",
    ]);
  });

  const secrets: readonly string[] = [
    '{"password": hunter2}',
    '{"password" "hunter2"}',
    '{"password" "hunter2": {,}}',
    '{"password": "hunter2}',
    '{"password": "a"hunter2"}',
    '{"password": "a\\hunter2"}',
    "{'password': 'hunter2'}",
    '{"password": "a" "hunter2"}',
    '{"password": "a", "hunter2"}',
    '{"password": "hunter2"',
  ];
  for (const text of secrets) {
    it(`does not quote the password of ${text}`, () => {
      const { message, issues } = configErrorOf(() => parseConfig(text));
      assert.doesNotMatch(message + JSON.stringify(issues), /hunter2/);
    });
  }
});

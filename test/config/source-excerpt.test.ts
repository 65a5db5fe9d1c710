import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig } from "../../src/config/parse-config.js";
import { excerptOf } from "../../src/config/source-excerpt.js";
import { configErrorOf } from "./issues.js";

/** The line at fault and its carets, one pair for each issue of a config. */
function drawn(text: string): readonly string[] {
  return excerptsOf(text).flatMap(({ text: line, start, length }) => [
    line,
    " ".repeat(start) + "^".repeat(Math.max(1, length)),
  ]);
}

function excerptsOf(text: string) {
  return configErrorOf(() => parseConfig(text)).issues.map(({ excerpt }) => {
    assert.ok(excerpt !== undefined);
    return excerpt;
  });
}

describe("an excerpt of a config", () => {
  const cases: readonly (readonly [what: string, text: string, ...drawn: string[]])[] = [
    ["a key", '{\n  "dns": {}\n}', '  "dns": {}', "  ^^^^^"],
    ["a string", '{"log":\n{"level": "loud"} }', '{"level": "loud"} }', "          ^^^^^^"],
    ["a number", '{"log": {"level": 55}}', '{"log": {"level": 55}}', " ".repeat(18) + "^^"],
    ["a value that the message does not quote", '{"log": 55}', '{"log": …}', "        ^"],
    ["null", '{"log": null }', '{"log": null }', "        ^^^^"],
    ["a list", '{"log": [1, 2] }', '{"log": […, …] }', "        ^^^^^^"],
    ["an empty list", '{"log": []}', '{"log": []}', "        ^^"],
    ["the whole config", "[ 1 ] // x", "[ … ] // …", "^^^^^"],
    [
      "an object that lacks something",
      '{ "inbounds": { "type": "http" } }',
      '{ "inbounds": { "type": … } }',
      "              ^^^^^^^^^^^^^",
    ],
    [
      "the first line of an object that has several",
      '{ "inbounds": [\n  { "type": "http",\n    "tag": "a" } ] }',
      '  { "type": …,',
      "  ^^^^^^^^^^^^",
    ],
    ["behind tabs, which take two columns", '{\n\t"x":\t1}', '  "x":  …}', "  ^^^"],
    ["before tabs", '{"log": 5\t,\t}', '{"log": …  ,  }', "        ^"],
    ["behind characters of several bytes", '{/* é */ "ö": 1}', '{/* … "ö": …}', "      ^^^"],
    [
      "behind a string with such characters",
      '{"$schema": "é", "ö": 1}',
      '{"$schema": …, "ö": …}',
      " ".repeat(15) + "^^^",
    ],
    ["behind a comment", '{/* a */"x":1}', '{/* …"x":…}', "     ^^^"],
    ["behind a comment over several lines", '{/* a\nb */"x":1}', '"x":…}', "^^^"],
    ["before a comment", '{"x":1 // a\n}', '{"x":… // …', " ^^^"],
    ["with CRLF", '{\r\n "x": 1\r\n}', ' "x": …', " ^^^"],
    ["with CR", '{\r "x": 1\r}', ' "x": …', " ^^^"],
    ["a bracket that is missing at the end", '{"log": {}', '{"log": {}', "          ^"],
    ["a bracket that is missing in a new line", '{"log": {}\n', "", "^"],
    ["a value that is missing", '{"log": }', '{"log": }', "        ^"],
    ["a value that is missing at the end", '{"log":', '{"log":', "       ^"],
    ["a missing comma", '{"log": {}\n "route": {}}', " …: {}}", " ^"],
    ["a missing colon", '{"log" {}}', "{… {}}", "   ^"],
    ["nothing at all", "", "", "^"],
    ["a word without quotes", '{"log": loud}', '{"log": …}', "        ^"],
    [
      "several on one line, each its own",
      '{"x": 1, "y": 2}',
      '{"x": …, "y": …}',
      " ^^^",
      '{"x": …, "y": …}',
      " ".repeat(9) + "^^^",
    ],
  ];
  for (const [what, text, ...expected] of cases) {
    it(`has the carets under the fault: ${what}`, () => {
      assert.deepEqual(drawn(text), expected);
    });
  }

  it("has the carets under the fault behind a password that is hidden", () => {
    const text =
      '{"inbounds": {"type": "http", "users":\n{"password": "hunter2", "username": ""}, "listen_port": 0}}';
    assert.deepEqual(drawn(text), [
      '{"password": …, "username": ""}, "listen_port": …}}',
      "                            ^^",
    ]);
  });

  it("ends its carets with the text where a line ends in blanks", () => {
    assert.deepEqual(drawn('{"inbounds": [{   \n"type": "http"}]}'), ['{"inbounds": [{', "              ^"]);
  });
});

describe("an excerpt of a long line", () => {
  const keys = (count: number) =>
    Array.from({ length: count }, (_, index) => `"k${index}":${index},`).join("");
  const [before, fault, behind] = ["a".repeat(200), "55", "b".repeat(200)];
  const lineOf = (...texts: readonly string[]) =>
    texts.map((text, index) => ({ offset: texts.slice(0, index).join("").length, text, shown: text }));

  // 50 characters on either side of where the fault begins.
  const cases: readonly (readonly [
    what: string,
    texts: readonly string[],
    expected: string,
    caret: string,
  ])[] = [
    ["is cut before the fault", [before, fault, "}"], `…${before.slice(-50)}55}`, "55"],
    ["is cut behind the fault", ["{", fault, behind], `{55${behind.slice(-48)}…`, "55"],
    [
      "is cut within the fault",
      ["{", fault + behind, "}"],
      `{55${behind.slice(-48)}…`,
      `55${behind.slice(-48)}…`,
    ],
    [
      "is not cut where 50 characters are on either side",
      [before.slice(-50), fault, behind.slice(-48)],
      `${before.slice(-50)}55${behind.slice(-48)}`,
      "55",
    ],
  ];
  for (const [what, texts, expected, caret] of cases) {
    it(`${what}, and the carets are right`, () => {
      const [start = "", at = ""] = texts;
      const excerpt = excerptOf(lineOf(...texts), { message: "", offset: start.length, length: at.length });
      assert.equal(excerpt.text, expected);
      assert.equal(excerpt.text.slice(excerpt.start, excerpt.start + excerpt.length), caret);
    });
  }

  it("is cut to about a hundred characters, however long, with each fault under its carets", () => {
    const excerpts = excerptsOf(`{${keys(400)}}`);
    assert.deepEqual(
      excerpts.map(({ text, start, length }) => text.slice(start, start + length)),
      excerpts.map((_, index) => `"k${index}"`),
    );
    assert.ok(excerpts.every(({ text }) => text.length <= 102));
  });

  it("cuts no character in half", () => {
    for (const pad of ["", "x"]) {
      const smileys = "😀".repeat(60);
      const text = `{"log": {"output": "${smileys}${pad}", "level": "${pad}${smileys}"}}`;
      for (const excerpt of excerptsOf(text)) assert.doesNotMatch(excerpt.text, /\p{Cs}/u);
    }
  });
});

describe("excerptOf", () => {
  const line = [
    { offset: 3, text: '"cd"', shown: "…" },
    { offset: 7, text: "ef", shown: "ef" },
  ];

  it("is the line, with the fault where it begins", () => {
    assert.deepEqual(excerptOf(line, { message: "", offset: 7, length: 2 }), {
      text: "…ef",
      start: 1,
      length: 2,
    });
    assert.deepEqual(excerptOf(line, { message: "", offset: 9, length: 0 }), {
      text: "…ef",
      start: 3,
      length: 0,
    });
  });

  it("measures what is shown, not what is written", () => {
    assert.deepEqual(excerptOf(line, { message: "", offset: 3, length: 6 }), {
      text: "…ef",
      start: 0,
      length: 3,
    });
  });

  const messages: readonly (readonly [message: string, text: string])[] = [
    ['expected something else, got "cd"', '"cd"ef'],
    ['expected "cd"', "…ef"],
    ['expected something else, got "cde"', "…ef"],
  ];
  for (const [message, text] of messages) {
    it(`shows a value at fault only if the message says that it got it: ${message}`, () => {
      assert.equal(excerptOf(line, { message, offset: 3, length: 4 }).text, text);
    });
  }

  it("shows no value beside the fault, whatever the message says", () => {
    assert.equal(excerptOf(line, { message: 'got "cd"', offset: 7, length: 2 }).text, "…ef");
    assert.equal(excerptOf(line, { message: 'got "cd"', offset: 3, length: 6 }).text, "…ef");
  });

  it("is empty for a line of nothing", () => {
    assert.deepEqual(excerptOf([], { message: "", offset: 0, length: 0 }), { text: "", start: 0, length: 0 });
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findLineStarts, positionOf } from "../../src/config/source-position.js";
import { issuePlaces } from "./issues.js";

describe("findLineStarts", () => {
  const cases: readonly (readonly [text: string, starts: readonly number[]])[] = [
    ["", [0]],
    ["a", [0]],
    ["a\n", [0, 2]],
    ["\n\n", [0, 1, 2]],
    ["a\r\nb", [0, 3]],
    ["a\rb", [0, 2]],
    ["a\n\rb", [0, 2, 3]],
    ["a\r\r\nb", [0, 2, 4]],
    ["a\u2028b\u0085c\vd\fe", [0]],
  ];
  for (const [text, starts] of cases) {
    it(`is ${JSON.stringify(starts)} in ${JSON.stringify(text)}`, () => {
      assert.deepEqual(findLineStarts(text), starts);
    });
  }
});

describe("positionOf", () => {
  const starts = findLineStarts("ab\ncd\r\n\nefg");
  const cases: readonly (readonly [offset: number, line: number, column: number])[] = [
    [0, 1, 1],
    [1, 1, 2],
    [2, 1, 3],
    [3, 2, 1],
    [4, 2, 2],
    [6, 2, 4],
    [7, 3, 1],
    [8, 4, 1],
    [10, 4, 3],
    [11, 4, 4],
  ];
  for (const [offset, line, column] of cases) {
    it(`is ${line}:${column} for offset ${offset}`, () => {
      assert.deepEqual(positionOf(starts, offset), { line, column });
    });
  }
});

const lineBreaks = [
  ["LF", "\n"],
  ["CRLF", "\r\n"],
  ["CR", "\r"],
] as const;

/** Configs, a line an item, and where they are wrong. */
const faults: readonly (readonly [what: string, lines: readonly string[], places: readonly string[]])[] = [
  ["an unknown key", ["{", '  "dns": {}', "}"], ["2:3: dns"]],
  ["a wrong value", ['{ "log": {', '  "level":', '    "loud" } }'], ["3:5: log.level"]],
  ["the config itself", ["// nothing but", "[]"], ["2:1"]],
  ["a key that is there twice", ["{", '"log": {},', '"log": {}', "}"], ["3:1: log"]],
  [
    "a missing value, at the object that lacks it",
    ['{ "inbounds": [', '  { "type": "mixed" },', '  { "type": "socks",', '    "tag": "a" }', "] }"],
    ["2:3: inbounds[0].listen_port", "3:3: inbounds[1].listen_port"],
  ],
  [
    "single items in place of lists",
    ["{", '"inbounds": { "type": "http", "listen_port": 0,', '  "users": { "username": "a" } } }'],
    ["3:12: inbounds.users.password"],
  ],
  [
    "single items in place of lists that lack something",
    ["{", '"inbounds":', '  { "type": "http" },', '"route": { "rules": { "inbound": "x" } }', "}"],
    ["3:3: inbounds.listen_port", "4:21: route.rules.outbound", "4:34: route.rules.inbound"],
  ],
  [
    "a reference to what is not there",
    ["{", '  "route": {', '    "final": "x" }', "}"],
    ["3:14: route.final"],
  ],
  [
    "names that are there twice",
    [
      "{",
      '"outbounds": [',
      '  { "type": "direct", "tag": "a" },',
      '  { "type": "block", "tag": "a" } ]',
      "}",
    ],
    ["4:29: outbounds[1].tag"],
  ],
  [
    "an address that is there twice",
    [
      "{",
      '"inbounds": [ { "type": "socks", "listen_port": 80 },',
      '  { "type": "http", "listen_port": 80 } ] }',
    ],
    ["3:36: inbounds[1].listen_port"],
  ],
  ["behind tabs, a character each", ["{", '\t"log":\t{ "level":\t5 } }'], ["2:20: log.level"]],
  ["behind characters of several bytes", ["{", '  /* größe ✓ */ "dns": 5 }'], ["2:17: dns"]],
  ["behind a character of two code units", ["{", '  /* 😀 */ "dns": 5 }'], ["2:12: dns"]],
  ["behind comments over several lines", ["{ /* a", "b", 'c */ "dns": 5 }'], ["3:6: dns"]],
  [
    "several on several lines, in the order of the text",
    ['{ "x": 1,', '"outbounds": { "type": "direct", "tag": "" },', '"log": 5,', '"inbounds": "a", "y": 2 }'],
    ["1:3: x", "2:41: outbounds.tag", "3:8: log", "4:13: inbounds", "4:18: y"],
  ],
  ["a missing comma", ["{", '  "log": {}', '  "route": {}', "}"], ["3:3"]],
  ["a missing colon", ["{", '  "log" 5', "}"], ["2:9"]],
  ["a word without quotes", ["{", '  "log": { "level": info }', "}"], ["2:21: log.level"]],
  ["a quote that is not closed", ["{", '  "log": { "output": "a', "}}"], ["2:22: log"]],
  ["brackets that are not closed, at the end", ["{", '  "inbounds": ['], ["2:16: inbounds"]],
  ["a value that is missing, at the end", ["{", '  "log":'], ["2:9: log"]],
  ["more than a config", ["{}", "", " {}"], ["3:2"]],
  ["nested too deep", [...Array.from({ length: 10 }, () => "[".repeat(10)), "["], ["11:1"]],
];

describe("a mistake in a config", () => {
  for (const [what, lines, places] of faults) {
    for (const [name, lineBreak] of lineBreaks) {
      it(`has its line and column where lines end with ${name}: ${what}`, () => {
        assert.deepEqual(issuePlaces(lines.join(lineBreak)), places);
      });
    }
  }

  it("has its line and column where lines end in all three ways", () => {
    assert.deepEqual(issuePlaces('{\n"a": 1,\r"b": 2,\r\n"c": 3}'), ["2:1: a", "3:1: b", "4:1: c"]);
  });

  const ends: readonly (readonly [text: string, place: string])[] = [
    ["", "1:1"],
    ["  ", "1:3"],
    ["\n", "2:1"],
    ["// nothing", "1:11"],
    ['{"log": {}', "1:11"],
    ['{"log": {}\n', "2:1"],
    ['{"log": {}\r\n\r\n', "3:1"],
    ['{"log": {} // open', "1:19"],
    ["{} /* open", "1:4"],
    ["{} /* open\n", "1:4"],
  ];
  for (const [text, place] of ends) {
    it(`is at ${place}, where the text ends: ${JSON.stringify(text)}`, () => {
      assert.deepEqual(issuePlaces(text), [place]);
    });
  }

  it("has the line and column of its offset for each of many", () => {
    const lines = Array.from(
      { length: 500 },
      (_, index) => `${" ".repeat(index % 7)}"key${index}": ${index}`,
    );
    assert.deepEqual(
      issuePlaces(`{\n${lines.join(",\n")}\n}`),
      lines.map((_, index) => `${index + 2}:${(index % 7) + 1}: key${index}`),
    );
  });

  it("is in the line where editors have it behind a byte order mark", () => {
    assert.deepEqual(issuePlaces('\uFEFF{\n "x": 1}'), ["2:2: x"]);
  });

  it("is in the column where editors have it behind a byte order mark", () => {
    assert.deepEqual(issuePlaces('\uFEFF{ "x": 1}'), ["1:3: x"]);
  });
});

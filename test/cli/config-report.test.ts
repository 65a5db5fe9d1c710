import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatConfigReport } from "../../src/cli/config-report.js";
import { ConfigError } from "../../src/config/config-error.js";
import { parseConfig } from "../../src/config/parse-config.js";
import { configErrorOf } from "../config/issues.js";

const text = '{\n  "dns": {},\n  "log": { "level": "loud" }\n}';
const topKeys = '"$schema", "log", "inbounds", "outbounds", "route", "experimental"';
const levels = '"trace", "debug", "info", "warn", "error", "fatal", "panic"';

function reportOf(source: string, withExcerpts: boolean): readonly string[] {
  return formatConfigReport(
    "a/c.json",
    configErrorOf(() => parseConfig(source)),
    { withExcerpts },
  ).split("\n");
}

describe("formatConfigReport", () => {
  it("counts, and has a line for each issue with path, line and column", () => {
    assert.deepEqual(reportOf(text, false), [
      "a/c.json: 2 errors",
      `a/c.json:2:3: dns: unknown key; expected one of ${topKeys}`,
      `a/c.json:3:21: log.level: expected one of ${levels}, got "loud"`,
      "",
    ]);
  });

  it("has the source lines, too, if it is told to", () => {
    assert.deepEqual(reportOf(text, true), [
      "a/c.json: 2 errors",
      `a/c.json:2:3: dns: unknown key; expected one of ${topKeys}`,
      '  2 |   "dns": {},',
      "    |   ^^^^^",
      `a/c.json:3:21: log.level: expected one of ${levels}, got "loud"`,
      '  3 |   "log": { "level": "loud" }',
      "    |                     ^^^^^^",
      "",
    ]);
  });

  it("counts one error", () => {
    assert.equal(reportOf('{"x": 1}', false)[0], "a/c.json: 1 error");
  });

  it("has one caret where something is missing", () => {
    assert.deepEqual(reportOf('{"log": {}', true), [
      "a/c.json: 1 error",
      'a/c.json:1:11: not valid JSON: expected a closing "}"',
      '  1 | {"log": {}',
      "    |           ^",
      "",
    ]);
  });

  for (const line of [1, 9, 10, 99, 100, 1000]) {
    it(`has the caret under the fault in line ${line}`, () => {
      const [, , source = "", carets = ""] = reportOf(`{${"\n".repeat(line - 1)} "x": 1}`, true);
      assert.ok(source.startsWith(`  ${line} | `), source);
      assert.equal(carets.indexOf("^"), source.indexOf('"x"'));
      assert.equal(
        carets.trimStart(),
        "| " + " ".repeat(source.indexOf('"x"') - source.indexOf("| ") - 2) + "^^^",
      );
      assert.equal(carets.indexOf("|"), source.indexOf("|"));
    });
  }

  it("has the message alone where there is no text", () => {
    const issue = { path: "", message: "there is no such file", offset: 0, length: 0 };
    for (const withExcerpts of [true, false]) {
      assert.equal(
        formatConfigReport("c.json", new ConfigError([issue]), { withExcerpts }),
        "c.json: 1 error\nthere is no such file\n",
      );
    }
  });

  it("has the path in the config where there is no text", () => {
    const issue = { path: "log.level", message: "expected a level", offset: 0, length: 0 };
    assert.equal(
      formatConfigReport("c.json", new ConfigError([issue]), { withExcerpts: true }),
      "c.json: 1 error\nlog.level: expected a level\n",
    );
  });
});

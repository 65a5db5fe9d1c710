import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { logLevels } from "../../src/config/log.js";
import { toConfig } from "../../src/config/to-config.js";
import { issueLines } from "./issues.js";

describe("log", () => {
  const defaults = { disabled: false, level: "info", output: "stderr", format: "text", timestamp: true };

  for (const config of [{}, { log: {} }, { log: undefined }]) {
    it(`has its defaults in ${JSON.stringify(config)}`, () => {
      assert.deepEqual(toConfig(config).log, defaults);
    });
  }

  it("keeps what is given", () => {
    const log = {
      disabled: true,
      level: "panic",
      output: "/var/log/v2ray.log",
      format: "json",
      timestamp: false,
    };
    assert.deepEqual(toConfig({ log }).log, log);
  });

  it("fills in what is not given", () => {
    assert.deepEqual(toConfig({ log: { output: "stdout" } }).log, { ...defaults, output: "stdout" });
  });

  for (const level of logLevels) {
    it(`knows the level ${level}`, () => {
      assert.equal(toConfig({ log: { level } }).log.level, level);
    });
  }

  const levels = '"trace", "debug", "info", "warn", "error", "fatal", "panic"';
  const cases: readonly (readonly [log: unknown, issue: string])[] = [
    [{ level: "verbose" }, `log.level: expected one of ${levels}, got "verbose"`],
    [{ level: "INFO" }, `log.level: expected one of ${levels}, got "INFO"`],
    [{ level: 3 }, `log.level: expected one of ${levels}, got 3`],
    [{ level: null }, `log.level: expected one of ${levels}, got null`],
    [{ disabled: "yes" }, 'log.disabled: expected true or false, got "yes"'],
    [{ timestamp: 0 }, "log.timestamp: expected true or false, got 0"],
    [{ format: "xml" }, 'log.format: expected one of "text", "json", got "xml"'],
    [{ output: "" }, 'log.output: expected a file path, "stdout" or "stderr", got ""'],
    [{ output: {} }, 'log.output: expected a file path, "stdout" or "stderr", got an object'],
    [
      { Level: "info" },
      'log.Level: unknown key; expected one of "disabled", "level", "output", "format", "timestamp"',
    ],
    ["info", "log: expected an object, got a string"],
    [[], "log: expected an object, got a list"],
    [null, "log: expected an object, got null"],
  ];
  for (const [log, issue] of cases) {
    it(`refuses ${JSON.stringify(log)}`, () => {
      assert.deepEqual(issueLines({ log }), [issue]);
    });
  }
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfigOption } from "../../src/cli/config-option.js";
import { isUsageError } from "../../src/cli/usage-error.js";

describe("parseConfigOption", () => {
  const good: readonly (readonly [args: readonly string[], path: string])[] = [
    [[], "config.json"],
    [["-c", "a.json"], "a.json"],
    [["-ca.json"], "a.json"],
    [["--config", "a.json"], "a.json"],
    [["--config=a.json"], "a.json"],
    [["-c", "a.json", "-c", "b.json"], "b.json"],
    [["-c", "a.json", "--config", "b.json"], "b.json"],
    [["-c", "dir with blanks/ü.json"], "dir with blanks/ü.json"],
  ];
  for (const [args, path] of good) {
    it(`reads ${JSON.stringify(path)} from ${JSON.stringify(args)}`, () => {
      assert.equal(parseConfigOption(args), path);
    });
  }

  for (const args of [
    ["-c"],
    ["--config"],
    ["-x"],
    ["a.json"],
    ["--", "a.json"],
    ["-c", "-x"],
    ["--c", "a"],
  ]) {
    it(`refuses ${JSON.stringify(args)} as a wrong command line`, () => {
      assert.throws(() => parseConfigOption(args), isUsageError);
    });
  }

  it("leaves its arguments as they are", () => {
    const args = Object.freeze(["-c", "a.json"]);
    parseConfigOption(args);
    assert.deepEqual(args, ["-c", "a.json"]);
  });
});

describe("isUsageError", () => {
  const others: readonly (readonly [name: string, error: unknown])[] = [
    ["a TypeError of another kind", new TypeError("x is not a function")],
    ["a TypeError with another code", Object.assign(new TypeError("x"), { code: "ERR_INVALID_ARG_TYPE" })],
    ["an Error with such a code", Object.assign(new Error("x"), { code: "ERR_PARSE_ARGS_UNKNOWN_OPTION" })],
    ["no Error", "ERR_PARSE_ARGS_UNKNOWN_OPTION"],
    ["nothing", undefined],
  ];
  for (const [name, error] of others) {
    it(`is not ${name}`, () => {
      assert.equal(isUsageError(error), false);
    });
  }
});

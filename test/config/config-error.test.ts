import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError, formatIssue, type ConfigIssue } from "../../src/config/config-error.js";

describe("ConfigError", () => {
  const issues = [
    { path: "log.level", message: "expected a level", offset: 3, length: 4 },
    { path: "", message: "expected an object", offset: 0, length: 0 },
  ];

  it("has one line for each issue, without a colon where there is no path", () => {
    assert.equal(new ConfigError(issues).message, "log.level: expected a level\nexpected an object");
  });

  it("keeps the issues as they are", () => {
    assert.deepEqual(new ConfigError(issues).issues, issues);
  });

  it("can be told by its code and its name", () => {
    const error = new ConfigError(issues);
    assert.equal(error.code, "INVALID_CONFIG");
    assert.equal(error.name, "ConfigError");
    assert.ok(error instanceof Error);
  });

  it("keeps the cause", () => {
    const cause = new Error("disk on fire");
    assert.equal(new ConfigError(issues, { cause }).cause, cause);
  });

  it("has no cause of its own", () => {
    assert.equal("cause" in new ConfigError(issues), false);
  });
});

describe("formatIssue", () => {
  const fault = { message: "expected a level", offset: 3, length: 4 };
  const position = { line: 12, column: 34 };
  const excerpt = { text: '"level": 5', start: 9, length: 1 };
  const cases: readonly (readonly [where: Partial<ConfigIssue> & { readonly path: string }, line: string])[] =
    [
      [{ path: "log.level" }, "log.level: expected a level"],
      [{ path: "" }, "expected a level"],
      [{ path: "log.level", position }, "12:34: log.level: expected a level"],
      [{ path: "", position }, "12:34: expected a level"],
      [{ path: "log.level", position, excerpt }, "12:34: log.level: expected a level"],
      [{ path: "log.level", position: undefined, excerpt: undefined }, "log.level: expected a level"],
    ];
  for (const [where, line] of cases) {
    it(`is one line: ${line}`, () => {
      assert.equal(formatIssue({ ...where, ...fault }), line);
    });
  }

  it("makes the lines of an error's message", () => {
    const issue = { path: "log", ...fault, position };
    assert.equal(new ConfigError([issue, issue]).message, [issue, issue].map(formatIssue).join("\n"));
  });
});

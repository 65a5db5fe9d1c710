import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DialError, dialErrorCodeOf } from "../../src/net/dial-error.js";

describe("dialErrorCodeOf", () => {
  const cases = [
    ["ECONNREFUSED", "refused"],
    ["ENETUNREACH", "network-unreachable"],
    ["EHOSTUNREACH", "host-unreachable"],
    ["ENOTFOUND", "unresolved"],
    ["EAI_AGAIN", "unresolved"],
    ["ETIMEDOUT", "timeout"],
    ["EMFILE", "failed"],
    ["toString", "failed"],
  ] as const;
  for (const [systemCode, code] of cases) {
    it(`says ${code} for ${systemCode}`, () => {
      assert.equal(dialErrorCodeOf(Object.assign(new Error("x"), { code: systemCode })), code);
    });
  }

  for (const thrown of [new Error("ECONNREFUSED"), "ECONNREFUSED", undefined]) {
    it(`says failed for what has no code (${String(thrown)})`, () => {
      assert.equal(dialErrorCodeOf(thrown), "failed");
    });
  }
});

describe("DialError", () => {
  it("has a name, a code, a message and a cause", () => {
    const cause = new Error("deep down");
    const error = new DialError("refused", "connect to a:1: refused", { cause });
    assert.ok(error instanceof Error);
    assert.equal(error.name, "DialError");
    assert.equal(error.code, "refused");
    assert.equal(error.message, "connect to a:1: refused");
    assert.equal(error.cause, cause);
  });
});

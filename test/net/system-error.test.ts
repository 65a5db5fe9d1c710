import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errorCodeOf, toError } from "../../src/net/system-error.js";

describe("errorCodeOf", () => {
  it("is the code of a system error", () => {
    assert.equal(errorCodeOf(Object.assign(new Error("x"), { code: "ECONNREFUSED" })), "ECONNREFUSED");
  });

  const others: readonly unknown[] = [
    new Error("x"),
    Object.assign(new Error("x"), { code: 7 }),
    { code: "ECONNREFUSED" },
    "ECONNREFUSED",
    undefined,
    null,
  ];
  others.forEach((thrown, index) => {
    it(`is undefined for anything else (${index}: ${String(thrown)})`, () => {
      assert.equal(errorCodeOf(thrown), undefined);
    });
  });
});

describe("toError", () => {
  it("passes an Error on", () => {
    const error = new TypeError("x");
    assert.equal(toError(error), error);
  });

  for (const reason of ["gone", 7, undefined]) {
    it(`makes an Error of ${String(reason)}`, () => {
      const error = toError(reason);
      assert.ok(error instanceof Error);
      assert.equal(error.message, String(reason));
    });
  }
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileRegexp } from "../../src/client/regexp.js";

describe("the client's compileRegexp", () => {
  it("finds an expression anywhere in a name, with the syntax of the servers", () => {
    const matches = compileRegexp("(?i)ALICE.+(up|down)link$");
    assert.equal(matches("user>>>alice>>>traffic>>>uplink"), true);
    assert.equal(matches("user>>>alice>>>traffic>>>uplink2"), false);
  });

  for (const pattern of ["(", "[", "a**", "(?=a)", "\\1"]) {
    it(`says that ${pattern} is none`, () => {
      assert.throws(() => compileRegexp(pattern), {
        name: "ClientError",
        code: "bad_regexp",
        message: /^bad regular expression ".+": ./,
      });
    });
  }
});

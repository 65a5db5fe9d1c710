import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { copyOf } from "../../src/stats/copy-of.js";

describe("copyOf()", () => {
  for (const text of ["", "a", "alice".repeat(1_000), "日本", "🦊 and half of one: \ud83e"]) {
    it(`is the same text: ${JSON.stringify(text.slice(0, 30))}`, () => {
      assert.equal(copyOf(text), text);
    });
  }
});

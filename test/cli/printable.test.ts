import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toPrintable, toPrintableLine } from "../../src/cli/printable.js";

describe("toPrintable", () => {
  const table: readonly (readonly [text: string, shown: string])[] = [
    ["user>>>alice>>>traffic>>>uplink", "user>>>alice>>>traffic>>>uplink"],
    ["Élise 🦊 \u00a0", "Élise 🦊 \u00a0"],
    ["\u001b[2J", "\\u001b[2J"],
    ["a\nb\r\t", "a\\u000ab\\u000d\\u0009"],
    ["\u007f\u009b31m", "\\u007f\\u009b31m"],
    ["\u0000", "\\u0000"],
  ];
  for (const [text, shown] of table) {
    it(`shows ${JSON.stringify(text)} as ${shown}`, () => {
      assert.equal(toPrintable(text), shown);
    });
  }

  it("leaves JSON what it was", () => {
    const text = JSON.stringify({ "\u009b": "\u001b\u007f" });
    assert.equal(toPrintableLine(text), '{"\\u009b":"\\u001b\\u007f"}\n');
    assert.deepEqual(JSON.parse(toPrintableLine(text)), JSON.parse(text));
  });
});

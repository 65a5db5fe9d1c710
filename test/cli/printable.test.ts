import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toJsonFor, toPrintable, toPrintableLine } from "../../src/cli/printable.js";

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

describe("toJsonFor", () => {
  const json = `${JSON.stringify({ "\u009b31m": "\u001b\u007f\u0080é" }, undefined, 4)}\n`;

  it("leaves it to the letter for a script", () => {
    assert.equal(toJsonFor({}, json), json);
    assert.equal(toJsonFor({ isTTY: false }, json), json);
  });

  it("has no control characters but line ends in a terminal, and means the same", () => {
    const shown = toJsonFor({ isTTY: true }, json);
    assert.equal(shown, '{\n    "\\u009b31m": "\\u001b\\u007f\\u0080é"\n}\n');
    assert.deepEqual(JSON.parse(shown), JSON.parse(json));
  });
});

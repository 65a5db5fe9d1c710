import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPlausibleHost } from "../../src/proxy/plausible-host.js";

describe("isPlausibleHost", () => {
  const hosts = [
    "example.com",
    "example.com.",
    "a",
    "localhost",
    "192.0.2.1",
    "::1",
    "fe80::1%eth0",
    "bücher.example",
    "例え.テスト",
    "xn--bcher-kva.example",
    "_service._tcp.example",
    "n".repeat(255),
    // Odd, but harmless: that there is no such name is the resolver's to say.
    "-",
    "..",
    "a/b",
    "🔑",
  ];
  for (const host of hosts) {
    it(`takes ${JSON.stringify(host.slice(0, 30))}`, () => {
      assert.equal(isPlausibleHost(host), true);
    });
  }

  const forbidden: readonly (readonly [name: string, character: string])[] = [
    ["a blank", " "],
    ["a tab", "\t"],
    ["a line feed", "\n"],
    ["a carriage return", "\r"],
    ["a zero byte", "\u0000"],
    ["an escape", "\u001b"],
    ["DEL", "\u007f"],
    ["a C1 control", "\u0085"],
    ["a no-break space", "\u00a0"],
    ["an en quad", "\u2000"],
    ["a line separator", "\u2028"],
    ["a paragraph separator", "\u2029"],
    ["an ideographic space", "\u3000"],
    ["a mark of the direction", "\u200f"],
    ["an override of the direction", "\u202e"],
    ["an isolate of its own direction", "\u2066"],
  ];
  for (const [name, character] of forbidden) {
    it(`refuses ${name}, wherever it stands`, () => {
      for (const host of [character, `${character}a.test`, `a${character}b`, `a.test${character}`]) {
        assert.equal(isPlausibleHost(host), false, JSON.stringify(host));
      }
    });
  }

  it("refuses an empty text", () => {
    assert.equal(isPlausibleHost(""), false);
  });

  it("refuses a second line that is plausible by itself", () => {
    assert.equal(isPlausibleHost("a\nb.test"), false);
  });
});

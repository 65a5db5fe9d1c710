import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assertTag, formatStatName, parseStatName, type StatName } from "../../src/stats/stat-name.js";

const pairs: readonly (readonly [string, StatName])[] = [
  ["inbound>>>socks>>>traffic>>>uplink", { scope: "inbound", tag: "socks", direction: "uplink" }],
  ["outbound>>>direct>>>traffic>>>downlink", { scope: "outbound", tag: "direct", direction: "downlink" }],
  ["user>>>a@b.example>>>traffic>>>uplink", { scope: "user", tag: "a@b.example", direction: "uplink" }],
  ["user>>>>>>traffic>>>uplink", { scope: "user", tag: "", direction: "uplink" }],
  ["user>>>traffic>>>traffic>>>uplink", { scope: "user", tag: "traffic", direction: "uplink" }],
  ["user>>>a b/ü→字>>>traffic>>>downlink", { scope: "user", tag: "a b/ü→字", direction: "downlink" }],
  ["user>>>a>>b>>>traffic>>>uplink", { scope: "user", tag: "a>>b", direction: "uplink" }],
  ["user>>>>a>>>traffic>>>uplink", { scope: "user", tag: ">a", direction: "uplink" }],
  ["user>>>>>a>>>traffic>>>uplink", { scope: "user", tag: ">>a", direction: "uplink" }],
];

describe("formatStatName", () => {
  for (const [text, name] of pairs) {
    it(`writes ${text}`, () => {
      assert.equal(formatStatName(name), text);
    });
  }

  // Whoever splits at ">>>" from the left takes the ">" at a tag's end for the separator's and reads ">traffic".
  for (const tag of [">>>", "a>>>b", ">>>a", "a>>>", "a>>>>b", "a>", "a>>", ">", ">>"]) {
    it(`refuses the tag ${tag}`, () => {
      assert.throws(
        () => formatStatName({ scope: "user", tag, direction: "uplink" }),
        (error) => error instanceof RangeError && error.message.includes(JSON.stringify(tag)),
      );
    });
  }
});

describe("parseStatName", () => {
  for (const [text, name] of pairs) {
    it(`reads ${text}`, () => {
      assert.deepEqual(parseStatName(text), name);
    });
  }

  const malformed = [
    "",
    ">>>",
    ">>>>>>>>>",
    "inbound",
    "inbound>>>socks",
    "inbound>>>socks>>>traffic",
    "inbound>>>socks>>>traffic>>>",
    "inbound>>>socks>>>traffic>>>uplink>>>",
    "inbound>>>socks>>>traffic>>>uplink>>>more",
    "inbound>>>so>>>cks>>>traffic>>>uplink",
    "inbound>>>socks>>>traffic>>>uplink ",
    " inbound>>>socks>>>traffic>>>uplink",
    "Inbound>>>socks>>>traffic>>>uplink",
    "inbound>>>socks>>>Traffic>>>uplink",
    "inbound>>>socks>>>online>>>uplink",
    "inbound>>>socks>>>>traffic>>>uplink",
    "inbound>>>socks>>>traffic>>>up",
    "inbound>>>socks>>>traffic>>>UPLINK",
    "inbound>>>socks>>>traffic>>>constructor",
    "toString>>>socks>>>traffic>>>uplink",
    "inbounds>>>socks>>>traffic>>>uplink",
    "inbound>>socks>>traffic>>uplink",
    "user>>>alice>>>online",
  ];
  for (const text of malformed) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.equal(parseStatName(text), undefined);
    });
  }
});

describe("assertTag", () => {
  for (const tag of ["", "socks", ">a", "a>>b", "日本", "a b"]) {
    it(`lets ${JSON.stringify(tag)} through`, () => {
      assert.doesNotThrow(() => {
        assertTag(tag);
      });
    });
  }

  it("says what is wrong with a tag", () => {
    assert.throws(
      () => {
        assertTag('x>>>"y"');
      },
      { name: "RangeError", message: /^tag "x>>>\\"y\\"" contains ">>>"/ },
    );
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  parseDomain,
  parseDomainKeyword,
  parseDomainSuffix,
} from "../../../src/proxy/rules/domain-pattern.js";

type Cases = readonly (readonly [text: string, pattern: string])[];

/** What has no place in a name; a keyword need not be a whole one. */
const strange = [
  ...[
    "",
    " ",
    "example com",
    "example.com\n",
    "\texample.com",
    "ex\u00a0ample.com",
    "example\u0000.com",
    "a\u0085b",
    "a\u2028b",
  ],
  ...[
    "*",
    "*.example.com",
    "example.*",
    "https://example.com",
    "//example.com",
    "example.com/",
    "example.com:443",
  ],
  ...[
    "alice@example.com",
    "example.com?",
    "#example.com",
    "[::1]",
    "::1",
    "a%62c.com",
    "a\\b.com",
    "a,b.com",
  ],
  ...[
    "a/b",
    "a\uff0fb",
    "℀",
    "example.com;",
    "'example.com'",
    '"',
    "~",
    "a+b",
    "$",
    "：：１",
    "(a)",
    "^a",
    "a|b",
  ],
];

describe("parseDomain", () => {
  const cases: Cases = [
    ["example.com", "example.com"],
    ["Example.COM", "example.com"],
    ["example.com.", "example.com"],
    ["com", "com"],
    ["a-b.c-d", "a-b.c-d"],
    ["_dmarc.example.com", "_dmarc.example.com"],
    ["bücher.de", "xn--bcher-kva.de"],
    ["BÜCHER.DE.", "xn--bcher-kva.de"],
    ["xn--bcher-kva.de", "xn--bcher-kva.de"],
    ["ｅxample。com", "example.com"],
    ["1.example.com", "1.example.com"],
    ["例え.テスト", "xn--r8jz45g.xn--zckzah"],
  ];
  for (const [text, pattern] of cases) {
    it(`reads ${text} as ${pattern}`, () => {
      assert.equal(parseDomain(text), pattern);
    });
  }

  const none = [
    ...strange,
    ...[".", "..", ".example.com", "a..b", "example.com..", "a\ufffd.com", "a\u200db.com"],
    ...["10.0.0.1", "127.1", "0x7f000001", "2130706433", "１0.0.0.1", "::ffff:10.0.0.1", "fe80::1%eth0"],
  ];
  for (const text of none) {
    it(`takes ${JSON.stringify(text)} for none`, () => {
      assert.equal(parseDomain(text), undefined);
    });
  }
});

describe("parseDomainSuffix", () => {
  const cases: Cases = [
    ["example.com", "example.com"],
    [".example.com", ".example.com"],
    [".Example.COM.", ".example.com"],
    ["com", "com"],
    [".com", ".com"],
    [".bücher.de", ".xn--bcher-kva.de"],
    ["BÜCHER.de", "xn--bcher-kva.de"],
  ];
  for (const [text, pattern] of cases) {
    it(`reads ${text} as ${pattern}`, () => {
      assert.equal(parseDomainSuffix(text), pattern);
    });
  }

  for (const text of [...strange, ".", "..", "..com", ".a..b", "10.0.0.1", ".10.0.0.1", ".1"]) {
    it(`takes ${JSON.stringify(text)} for none`, () => {
      assert.equal(parseDomainSuffix(text), undefined);
    });
  }
});

describe("parseDomainKeyword", () => {
  const cases: Cases = [
    ["ample", "ample"],
    ["AMPLE", "ample"],
    ["ample.c", "ample.c"],
    [".", "."],
    ["-", "-"],
    ["ads.", "ads."],
    [".ads", ".ads"],
    ["123", "123"],
    ["10.0", "10.0"],
    ["bücher", "bücher"],
    ["BÜCHER", "bücher"],
    ["bu\u0308cher", "bücher"],
    ["ａds", "ads"],
    ["xn--", "xn--"],
  ];
  for (const [text, pattern] of cases) {
    it(`reads ${text} as ${pattern}`, () => {
      assert.equal(parseDomainKeyword(text), pattern);
    });
  }

  for (const text of strange) {
    it(`takes ${JSON.stringify(text)} for none`, () => {
      assert.equal(parseDomainKeyword(text), undefined);
    });
  }
});

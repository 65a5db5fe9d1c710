import assert from "node:assert/strict";
import { lookup } from "node:dns/promises";
import { describe, it } from "node:test";
import { parseIpAddress } from "../../../src/proxy/rules/ip-prefix.js";
import { toRuleHost } from "../../../src/proxy/rules/rule-host.js";

const nameOf = (name: string) => ({ kind: "name", name });
const addressOf = (text: string) => ({ kind: "address", address: parseIpAddress(text) });

describe("toRuleHost", () => {
  const names: readonly (readonly [name: string, ...spellings: string[]])[] = [
    ["example.com", "example.com", "EXAMPLE.com", "eXample.Com", "example.com.", "EXAMPLE.COM."],
    [
      "example.com",
      "ｅｘａｍｐｌｅ.com",
      "ＥＸＡＭＰＬＥ.ＣＯＭ",
      "example。com",
      "example．com",
      "example｡com。",
    ],
    [
      "example.com",
      "exam\u00adple.com",
      "exam\u200bple.com",
      "ex\ufe0fample.com",
      "𝐞𝐱𝐚𝐦𝐩𝐥𝐞.com",
      "ⓔxample.com",
    ],
    [
      "xn--bcher-kva.de",
      "bücher.de",
      "BÜCHER.DE",
      "bu\u0308cher.de",
      "xn--bcher-kva.de",
      "XN--BCHER-KVA.de.",
    ],
    ["xn--strae-oqa.de", "straße.de", "xn--strae-oqa.de"],
    ["strasse.de", "strasse.de", "STRASSE.de"],
    ["xn--n3h.net", "☃.net"],
    ["xn--r8jz45g.xn--zckzah", "例え.テスト", "例え。テスト"],
    ["localhost", "localhost", "LOCALHOST.", "loc\u00adalhost"],
    ["_dmarc.example.com", "_dmarc.example.com", "_DMARC.example.com"],
    ["a-b.c", "a-b.c"],
    ["com", "com", "com."],
    // Numbers, but no addresses.
    ["1.2.3.4.5", "1.2.3.4.5"],
    ["256.0.0.1", "256.0.0.1"],
    ["4294967296", "4294967296"],
    ["0x", "0x"],
    ["08.0.0.1", "08.0.0.1"],
    ["127.0.0.1", "127.0.0.1."],
    ["a.1", "a.1", "ａ.１"],
    ["xn--b-eha.1", "bü.1", "BÜ.１"],
    // What no name has, without a way to cut the name short or to hide its end.
    [
      "a_b.example.com",
      "a/b.example.com",
      "a|b.ｅxample.com",
      "a:b.example.com",
      "a?b.EXAMPLE.com",
      "a#b.example.com",
    ],
    ["a_b.example.com", "a@b.example.com", "a\\b.example.com", "a%b.example.com", "a\uff0fb.example.com"],
    ["a_61.example.com", "a%61.example.com"],
    ["a_c.com", "℀.com"],
    ["___1_", "[::1]"],
    // No names, and nothing to be afraid of.
    ["", "", "."],
    ["a..b", "a..b"],
    ["xn--zzzz99999.com", "xn--zzzz99999.com"],
    ["a\ufffd.com", "a\ufffd.com"],
  ];
  for (const [name, ...spellings] of names) {
    for (const spelling of spellings) {
      it(`reads ${JSON.stringify(spelling)} as the name ${JSON.stringify(name)}`, () => {
        assert.deepEqual(toRuleHost(spelling), nameOf(name));
      });
    }
  }

  const addresses: readonly (readonly [address: string, ...spellings: string[]])[] = [
    [
      "127.0.0.1",
      "127.0.0.1",
      "127.1",
      "127.0.1",
      "2130706433",
      "0x7f000001",
      "0X7F.1",
      "0177.0.0.1",
      "017700000001",
    ],
    ["127.0.0.1", "１２７.0.0.1", "127。0。0。1", "127.0.0.\u00ad1", "１２７.1", "𝟏𝟐𝟕.1", "①27.1"],
    [
      "127.0.0.1",
      "::ffff:127.0.0.1",
      "::ffff:7f00:1",
      "::FFFF:7F00:1",
      "：：ffff:127.0.0.1",
      "::ffff:１27.0.0.1",
    ],
    ["0.0.0.0", "0", "0x0", "0.0", "00.0.0.0"],
    ["255.255.255.255", "255.255.255.255", "4294967295", "255.16777215", "0xffffffff"],
    ["10.0.0.1", "10.1", "012.1", "0xa.1", "10.0.0.1"],
    ["::1", "::1", "0:0:0:0:0:0:0:1", "：：１", "::\u00ad1", "::1%lo", "::1％lo"],
    ["fe80::1", "FE80::1", "fe80::1%eth0", "ｆe80::1"],
    ["2001:db8::1", "2001:DB8:0:0::1"],
  ];
  for (const [address, ...spellings] of addresses) {
    for (const spelling of spellings) {
      it(`reads ${JSON.stringify(spelling)} as the address ${address}`, () => {
        assert.deepEqual(toRuleHost(spelling), addressOf(address));
      });
    }
  }

  // Numeric ones alone: these are resolved without a question to anybody.
  const numeric = [
    ...["127.1", "0x7f.1", "0177.1", "2130706433", "0x7f000001", "00177.0.0.01", "127.65535"],
    ...["１２７.1", "：：１", "::\u00ad1", "::ffff:１27.0.0.1"],
  ];
  for (const host of numeric) {
    it(`reads ${JSON.stringify(host)} as the address that the resolver makes of it`, async () => {
      const { address } = await lookup(host);
      assert.deepEqual(toRuleHost(host), addressOf(address));
    });
  }
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AddressSet } from "../../../src/proxy/rules/address-set.js";
import { parseIpAddress, type IpAddress } from "../../../src/proxy/rules/ip-prefix.js";
import { countLookUps } from "../../helpers/look-ups.js";

const addressOf = (text: string) => parseIpAddress(text) ?? assert.fail(`${text} is no address`);
const has = (prefixes: readonly string[], text: string) => new AddressSet(prefixes).has(addressOf(text));

describe("AddressSet", () => {
  const cases: readonly (readonly [prefix: string, inside: readonly string[], outside: readonly string[]])[] =
    [
      ["10.0.0.0/8", ["10.0.0.0", "10.0.0.1", "10.255.255.255"], ["9.255.255.255", "11.0.0.0", "::a00:1"]],
      ["10.1.2.3/8", ["10.0.0.0", "10.255.255.255"], ["11.1.2.3"]],
      ["172.16.0.0/12", ["172.16.0.0", "172.31.255.255"], ["172.15.255.255", "172.32.0.0"]],
      ["192.0.2.1", ["192.0.2.1"], ["192.0.2.0", "192.0.2.2", "::192.0.2.1"]],
      ["192.0.2.1/32", ["192.0.2.1"], ["192.0.2.0", "192.0.2.2"]],
      ["192.0.2.1/31", ["192.0.2.0", "192.0.2.1"], ["192.0.1.255", "192.0.2.2"]],
      ["128.0.0.0/1", ["128.0.0.0", "255.255.255.255"], ["127.255.255.255", "8000::"]],
      ["0.0.0.0/0", ["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"], ["::", "2001:db8::1"]],
      ["::/0", ["::", "2001:db8::1", "ffff::"], ["0.0.0.0", "::ffff:1.2.3.4"]],
      ["2001:db8::/32", ["2001:db8::", "2001:db8:ffff::1"], ["2001:db7:ffff::", "2001:db9::"]],
      ["2001:db8::1", ["2001:db8::1", "2001:DB8:0:0::1"], ["2001:db8::", "2001:db8::2"]],
      ["fe80::/10", ["fe80::1", "fe80::1%eth0", "febf::"], ["fe7f::", "fec0::"]],
      ["::ffff:10.0.0.0/104", ["10.0.0.1", "::ffff:10.255.0.1"], ["11.0.0.1", "::a00:1"]],
      ["10.0.0.0/8", ["::ffff:10.0.0.1", "::ffff:a00:1", "0:0:0:0:0:FFFF:A00:1"], ["::10.0.0.1"]],
    ];
  for (const [prefix, inside, outside] of cases) {
    it(`of ${prefix} has ${inside.join(", ")}, not ${outside.join(", ")}`, () => {
      const set = new AddressSet([prefix]);
      const asked = [...inside, ...outside].map((text) => [text, set.has(addressOf(text))]);
      assert.deepEqual(asked, [
        ...inside.map((text) => [text, true]),
        ...outside.map((text) => [text, false]),
      ]);
    });
  }

  it("of nothing has nothing", () => {
    assert.equal(has([], "0.0.0.0"), false);
    assert.equal(has([], "::"), false);
  });

  it("has what any of its prefixes has", () => {
    const prefixes = ["10.0.0.0/8", "192.0.2.0/24", "192.0.2.128/25", "198.51.100.7", "2001:db8::/32", "::1"];
    const inside = ["10.9.9.9", "192.0.2.1", "192.0.2.200", "198.51.100.7", "2001:db8::5", "::1"];
    const outside = ["11.0.0.0", "192.0.3.1", "198.51.100.8", "2001:db9::", "::2", "0.0.0.1"];
    assert.deepEqual(
      inside.map((text) => has(prefixes, text)),
      inside.map(() => true),
    );
    assert.deepEqual(
      outside.map((text) => has(prefixes, text)),
      outside.map(() => false),
    );
  });

  it("takes a prefix twice", () => {
    assert.equal(has(["10.0.0.0/8", "10.0.0.0/8", "10.1.0.0/8"], "10.2.0.0"), true);
  });

  it("names what it cannot read", () => {
    assert.throws(() => new AddressSet(["10.0.0.0/8", "10.0.0.0/33"]), {
      name: "RangeError",
      message: 'expected an IP address or CIDR, got "10.0.0.0/33"',
    });
  });

  describe("of 100,000 prefixes", () => {
    /** Of the /24 of 10.0.0.0/7 every other one; the second and third group of IPv6 go together. */
    const v4 = (index: number) =>
      `${10 + Math.floor(index / 32_768)}.${Math.floor(index / 128) % 256}.${(index % 128) * 2}`;
    const v6 = (second: number, third = second) => `2001:d${second % 256}:${third.toString(16)}`;
    const lengths = 5;
    const set = new AddressSet(
      Array.from({ length: 50_000 }, (_, index) => [
        `${v4(index)}.0/${24 + (index % lengths)}`,
        `${v6(index)}::/${48 + (index % lengths)}`,
      ]).flat(),
    );
    const asked = Array.from({ length: 5_000 }, (_, index) => index * 9);
    const inside = asked.flatMap((at) => [`${v4(at)}.1`, `${v6(at)}::1`]).map(addressOf);
    const outside = asked
      .flatMap((at) => [v4(at).replace(/\d+$/, (low) => `${Number(low) + 1}.1`), `${v6(at, at + 1)}::1`])
      .map(addressOf);

    /** Asks for them all. */
    function ask(addresses: readonly IpAddress[]) {
      const answers: boolean[] = [];
      const lookUps = countLookUps(() => {
        for (const address of addresses) answers.push(set.has(address));
      });
      return { yes: answers.filter((answer) => answer).length, asked: answers.length, lookUps };
    }

    it("finds 10,000 addresses with at most a look-up for each length in use", () => {
      const { yes, lookUps } = ask(inside);
      assert.equal(yes, 10_000);
      assert.ok(lookUps >= 10_000 && lookUps <= 10_000 * lengths, `${lookUps} look-ups`);
    });

    it("tells 10,000 others with a look-up for each length in use", () => {
      assert.deepEqual(ask(outside), { yes: 0, asked: 10_000, lookUps: 10_000 * lengths });
    });
  });
});

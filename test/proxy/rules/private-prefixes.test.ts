import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AddressSet } from "../../../src/proxy/rules/address-set.js";
import { parseIpAddress } from "../../../src/proxy/rules/ip-prefix.js";
import { privatePrefixes } from "../../../src/proxy/rules/private-prefixes.js";

describe("privatePrefixes", () => {
  const set = new AddressSet(privatePrefixes);
  const isPrivate = (text: string) => set.has(parseIpAddress(text) ?? assert.fail(`${text} is no address`));

  const cases: readonly (readonly [what: string, inside: readonly string[], beside: readonly string[]])[] = [
    ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0"]],
    ["172.16.0.0/12", ["172.16.0.0", "172.31.255.255"], ["172.15.255.255", "172.32.0.0"]],
    ["192.168.0.0/16", ["192.168.0.0", "192.168.255.255"], ["192.167.255.255", "192.169.0.0"]],
    ["fc00::/7", ["fc00::", "fdff:ffff::1"], ["fbff:ffff::1", "fe00::"]],
    ["IPv4's loopback", ["127.0.0.1", "127.0.0.0", "127.255.255.255"], ["126.255.255.255", "128.0.0.0"]],
    ["IPv6's loopback", ["::1"], ["::2", "::1:0"]],
    [
      "IPv4's link-local",
      ["169.254.0.0", "169.254.169.254", "169.254.255.255"],
      ["169.253.0.1", "169.255.0.0"],
    ],
    ["IPv6's link-local", ["fe80::", "fe80::1%eth0", "febf:ffff::1"], ["fe7f::", "fec0::"]],
    ["IPv4's multicast", ["224.0.0.0", "239.255.255.255"], ["223.255.255.255", "240.0.0.0"]],
    ["IPv6's multicast", ["ff00::", "ff01::1", "ff02::1", "ff05::2", "ffff::"], ["feff::"]],
    ["the unspecified", ["0.0.0.0", "::"], ["0.0.0.1"]],
    ["an IPv4 address in IPv6", ["::ffff:10.0.0.1", "::ffff:7f00:1"], ["::ffff:8.8.8.8", "::10.0.0.1"]],
    [
      "nothing else",
      [],
      ["8.8.8.8", "100.64.0.1", "192.0.2.1", "255.255.255.255", "2001:db8::1", "64:ff9b::a00:1"],
    ],
  ];
  for (const [what, inside, beside] of cases) {
    it(`are about ${what}`, () => {
      assert.deepEqual(
        [...inside, ...beside].filter((text) => isPrivate(text)),
        inside,
      );
    });
  }
});

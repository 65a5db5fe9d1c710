import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseIpAddress, parseIpPrefix } from "../../../src/proxy/rules/ip-prefix.js";

const v4 = (value: bigint) => ({ family: 4, value });
const v6 = (value: bigint) => ({ family: 6, value });

describe("parseIpAddress", () => {
  const cases: readonly (readonly [text: string, address: object])[] = [
    ["0.0.0.0", v4(0n)],
    ["0.0.0.1", v4(1n)],
    ["10.0.0.1", v4(0x0a00_0001n)],
    ["127.0.0.1", v4(0x7f00_0001n)],
    ["192.0.2.255", v4(0xc000_02ffn)],
    ["255.255.255.255", v4(0xffff_ffffn)],
    ["::", v6(0n)],
    ["::1", v6(1n)],
    ["0:0:0:0:0:0:0:1", v6(1n)],
    ["0000:0000:0000:0000:0000:0000:0000:0001", v6(1n)],
    ["1::", v6(0x1n << 112n)],
    ["2001:db8::1", v6((0x2001_0db8n << 96n) | 1n)],
    ["2001:DB8:0::1", v6((0x2001_0db8n << 96n) | 1n)],
    ["1:2:3:4:5:6:7:8", v6(0x0001_0002_0003_0004_0005_0006_0007_0008n)],
    ["1:2:3:4:5:6:1.2.3.4", v6(0x0001_0002_0003_0004_0005_0006_0102_0304n)],
    ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", v6((1n << 128n) - 1n)],
    // Compatible with IPv4, which is something else than mapped.
    ["::10.0.0.1", v6(0x0a00_0001n)],
  ];
  for (const [text, address] of cases) {
    it(`reads ${text}`, () => {
      assert.deepEqual(parseIpAddress(text), address);
    });
  }

  const mapped = [
    "::ffff:10.0.0.1",
    "::FFFF:10.0.0.1",
    "::ffff:a00:1",
    "::ffff:0a00:0001",
    "0:0:0:0:0:ffff:a00:1",
    "0::ffff:10.0.0.1",
    "::ffff:10.0.0.1%eth0",
  ];
  for (const text of mapped) {
    it(`reads ${text} as the IPv4 address that it stands for`, () => {
      assert.deepEqual(parseIpAddress(text), parseIpAddress("10.0.0.1"));
    });
  }

  for (const text of ["fe80::1%eth0", "fe80::1%1", "fe80::1%a.b"]) {
    it(`leaves the zone of ${text} out`, () => {
      assert.deepEqual(parseIpAddress(text), parseIpAddress("fe80::1"));
    });
  }

  const others = [
    ...["", "example.com", "10.0.0", "10.0.0.256", "10.0.0.1.", "010.0.0.1", "0x7f.0.0.1", "127.1", "1"],
    ...["10.0.0.1/8", "10.0.0.1:80", " 10.0.0.1", "10.0.0.1%eth0", "[::1]", ":::", "1:2:3", "::g"],
  ];
  for (const text of others) {
    it(`takes ${JSON.stringify(text)} for none`, () => {
      assert.equal(parseIpAddress(text), undefined);
    });
  }
});

describe("parseIpPrefix", () => {
  const cases: readonly (readonly [text: string, family: number, length: number, bits: bigint])[] = [
    ["10.0.0.0/8", 4, 8, 10n],
    ["10.1.2.3/8", 4, 8, 10n],
    ["10.1.2.3/32", 4, 32, 0x0a01_0203n],
    ["10.1.2.3", 4, 32, 0x0a01_0203n],
    ["172.16.0.0/12", 4, 12, 0xac1n],
    ["255.255.255.255/1", 4, 1, 1n],
    ["0.0.0.0/0", 4, 0, 0n],
    ["1.2.3.4/0", 4, 0, 0n],
    ["::/0", 6, 0, 0n],
    ["fc00::/7", 6, 7, 0x7en],
    ["fdff::1/7", 6, 7, 0x7en],
    ["2001:db8::/32", 6, 32, 0x2001_0db8n],
    ["::1", 6, 128, 1n],
    ["::1/128", 6, 128, 1n],
    ["::2/127", 6, 127, 1n],
    ["::ffff:10.0.0.0/104", 4, 8, 10n],
    ["::ffff:10.1.2.3", 4, 32, 0x0a01_0203n],
    ["::ffff:0:0/96", 4, 0, 0n],
    // More than what stands for IPv4.
    ["::ffff:0:0/95", 6, 95, 0x7fffn],
    ["::ffff:10.0.0.1/80", 6, 80, 0n],
  ];
  for (const [text, family, length, bits] of cases) {
    it(`reads ${text}`, () => {
      assert.deepEqual(parseIpPrefix(text), { family, length, bits });
    });
  }

  const malformed = [
    ...["", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8/8", "10/8"],
    ...["10.0.0.0/255.0.0.0", "10.0.0.0 /8", "10.0.0.0/ 8", "10.0.0.0/8 ", "10.0.0.0/0x8", "10.0.0.0/1e1"],
    ...["10.0.0.256/8", "::/129", "::/1000", "fe80::1%eth0", "fe80::%eth0/10", "[::1]/128", "*", "all"],
    ...["example.com", "example.com/8", "10.0.0.0-10.0.0.9", "10.0.0.*", "127.1", "0x7f000001/8"],
  ];
  for (const text of malformed) {
    it(`takes ${JSON.stringify(text)} for none`, () => {
      assert.equal(parseIpPrefix(text), undefined);
    });
  }
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoint } from "../../../src/net/endpoint.js";
import {
  formatSocksAddress,
  maxSocksNameBytes,
  parseSocksAddress,
} from "../../../src/proxy/socks/socks5-address.js";
import { socks5Address } from "../../helpers/socks5-client.js";

/** What stands before the address of a request, and of a packet. */
const heads = [Buffer.of(5, 1, 0), Buffer.of(0, 0, 0)] as const;

/** Reads an address behind each kind of head, cut at every byte, whole, and with something behind it. */
function assertReads(address: Buffer, endpoint: Endpoint): void {
  for (const head of heads) {
    const message = Buffer.concat([head, address]);
    for (let length = 0; length < message.length; length++) {
      assert.deepEqual(parseSocksAddress(message.subarray(0, length)), { kind: "more" }, `${length} bytes`);
    }
    const done = { kind: "done", endpoint, end: message.length };
    assert.deepEqual(parseSocksAddress(message), done);
    for (const behind of ["\u0000", "payload", "\u0005\u0001\u0000"]) {
      assert.deepEqual(parseSocksAddress(Buffer.concat([message, Buffer.from(behind)])), done);
    }
  }
}

/** An address of type 3, whatever the name consists of. */
function nameAddress(name: Buffer | string, port = 80): Buffer {
  const bytes = Buffer.from(name);
  return Buffer.concat([Buffer.of(3, bytes.length), bytes, Buffer.of(port >> 8, port & 0xff)]);
}

/** Each kind of address as it is written, and what it means: the one stands for the other. IPv6 as RFC 5952 writes it. */
const addresses: readonly (readonly [hex: string, host: string, port: number])[] = [
  ["017f0000010050", "127.0.0.1", 80],
  ["01000000000000", "0.0.0.0", 0],
  ["01ffffffffffff", "255.255.255.255", 65_535],
  ["010a0b0c0d1234", "10.11.12.13", 0x1234],
  [`04${"00".repeat(16)}0000`, "::", 0],
  [`04${"00".repeat(15)}0101bb`, "::1", 443],
  ["0420010db8000000000000000000000001ffff", "2001:db8::1", 65_535],
  ["0420010db80000000100010001000a0abc0035", "2001:db8:0:1:1:1:a:abc", 53],
  ["0420010000000000010000000000000001ffff", "2001:0:0:1::1", 65_535],
  ["0420010db80000000000010000000000010001", "2001:db8::1:0:0:1", 1],
  ["04fe80000000000000020000fffe00abcd01bb", "fe80::200:ff:fe00:abcd", 443],
  ["0400000000000000000000ffff010203040050", "::ffff:102:304", 80],
  ["030161ffff", "a", 65_535],
  ["030b6578616d706c652e636f6d0000", "example.com", 0],
  ["030c6578616d706c652e636f6d2e01bb", "example.com.", 443],
  ["030a62c3bc636865722e64650035", "bücher.de", 53],
  [`03ff${"6e".repeat(255)}0050`, "n".repeat(255), 80],
  [`03fe${"c3a9".repeat(127)}0050`, "é".repeat(127), 80],
];

describe("parseSocksAddress", () => {
  for (const [hex, host, port] of addresses) {
    it(`reads ${host.slice(0, 30)} port ${port}, whatever bytes are missing or follow`, () => {
      assertReads(Buffer.from(hex, "hex"), { host, port });
    });
  }

  it("takes an address that came as a name for the name it is", () => {
    for (const host of ["127.0.0.1", "::1", "::ffff:1.2.3.4", "fe80::1%eth0"]) {
      assertReads(nameAddress(host), { host, port: 80 });
    }
  });

  for (const type of [0, 2, 5, 6, 0x43, 0x81, 255]) {
    it(`does not know type ${type}, as soon as it is there`, () => {
      for (const head of heads) {
        const message = Buffer.concat([head, Buffer.of(type, 1, 2, 3, 4, 0, 80)]);
        assert.deepEqual(parseSocksAddress(message.subarray(0, 3)), { kind: "more" });
        for (let length = 4; length <= message.length; length++) {
          assert.deepEqual(parseSocksAddress(message.subarray(0, length)), { kind: "unknown type", type });
        }
      }
    });
  }

  const noHosts: readonly (readonly [title: string, name: Buffer | string])[] = [
    ["an empty name", ""],
    ["a zero byte", "a\u0000b"],
    ["255 zero bytes", Buffer.alloc(255)],
    ["a line feed", "a\nb"],
    ["a carriage return", "a\rb"],
    ["a tab", "a\tb"],
    ["an escape", "\u001b[2J"],
    ["DEL", "a\u007f"],
    ["a C1 control", "a\u0085b"],
    ["a blank within it", "a b"],
    ["a blank before it", " a"],
    ["a blank behind it", "a "],
    ["a no-break space", "a\u00a0b"],
    ["a line separator", "a\u2028b"],
    ["a name in Latin-1", Buffer.from("bücher.de", "latin1")],
    ["half a letter of UTF-8", Buffer.of(0x61, 0xc3)],
    ["half a surrogate pair", Buffer.of(0xed, 0xa0, 0xbd)],
    ["255 bytes that are no UTF-8", Buffer.alloc(255, 0xff)],
  ];
  for (const [title, name] of noHosts) {
    it(`finds no host in ${title}, once it is whole`, () => {
      for (const head of heads) {
        const message = Buffer.concat([head, nameAddress(name)]);
        for (let length = 0; length < message.length; length++) {
          assert.deepEqual(parseSocksAddress(message.subarray(0, length)), { kind: "more" });
        }
        assert.deepEqual(parseSocksAddress(message), { kind: "no host" });
      }
    });
  }

  it("does not look at what stands before the address", () => {
    for (const head of [Buffer.of(0xff, 0xff, 0xff), Buffer.of(3, 3, 3)]) {
      const message = Buffer.concat([head, socks5Address({ host: "1.2.3.4", port: 5 })]);
      assert.deepEqual(parseSocksAddress(message), {
        kind: "done",
        endpoint: { host: "1.2.3.4", port: 5 },
        end: 10,
      });
    }
  });
});

describe("formatSocksAddress", () => {
  for (const [hex, host, port] of addresses) {
    it(`writes ${host.slice(0, 30)} port ${port}`, () => {
      assert.equal(formatSocksAddress({ host, port }).toString("hex"), hex);
    });
  }

  const otherSpellings: readonly (readonly [host: string, hex: string])[] = [
    ["2001:0DB8:0:0::0001", "20010db8000000000000000000000001"],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["1::", "00010000000000000000000000000000"],
    ["::ffff:1.2.3.4", "00000000000000000000ffff01020304"],
    ["::FFFF:1.2.3.4", "00000000000000000000ffff01020304"],
    ["::1.2.3.4", "00000000000000000000000001020304"],
    ["::0:1.2.3.4", "00000000000000000000000001020304"],
    ["64:ff9b::192.0.2.33", "0064ff9b0000000000000000c0000221"],
    ["fe80::1%eth0", "fe800000000000000000000000000001"],
    ["fe80::1%2", "fe800000000000000000000000000001"],
    ["fe80::1%eth0.100", "fe800000000000000000000000000001"],
    ["fe80::1%br-lan", "fe800000000000000000000000000001"],
    ["fe80::1%wg_home", "fe800000000000000000000000000001"],
  ];
  for (const [host, hex] of otherSpellings) {
    it(`writes ${host} as the IPv6 address it is`, () => {
      assert.equal(formatSocksAddress({ host, port: 5 }).toString("hex"), `04${hex}0005`);
    });
  }

  for (const host of ["1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", ":", "1::2::3", "[::1]", "0x7f.1"]) {
    it(`takes ${host}, which is no address, for a name`, () => {
      assert.deepEqual(formatSocksAddress({ host, port: 80 }), nameAddress(host));
    });
  }

  const tooLong: readonly (readonly [title: string, host: string, bytes: number])[] = [
    ["256 letters", "n".repeat(256), 256],
    ["128 letters of two bytes", "é".repeat(128), 256],
    ["64 letters of four bytes", "😀".repeat(64), 256],
    ["a hundred thousand letters", "n".repeat(100_000), 100_000],
  ];
  for (const [title, host, bytes] of tooLong) {
    it(`refuses ${title}`, () => {
      assert.throws(() => formatSocksAddress({ host, port: 80 }), {
        name: "RangeError",
        message: `host name of ${bytes} bytes, at most ${maxSocksNameBytes} fit`,
      });
    });
  }

  it("writes what is read back, for every port", () => {
    for (let port = 0; port <= 65_535; port += 255) {
      for (const host of ["192.0.2.1", "2001:db8::1", "a.test"]) {
        const message = Buffer.concat([Buffer.of(0, 0, 0), formatSocksAddress({ host, port })]);
        const parsed = parseSocksAddress(message);
        assert.deepEqual(parsed, { kind: "done", endpoint: { host, port }, end: message.length });
      }
    }
  });
});

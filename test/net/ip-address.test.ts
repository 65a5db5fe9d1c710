import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { describe, it } from "node:test";
import { canonicalAddress, unmapped } from "../../src/net/ip-address.js";

describe("unmapped", () => {
  const cases: readonly (readonly [address: string, expected: string])[] = [
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:192.0.2.1", "192.0.2.1"],
    ["::ffff:0.0.0.0", "0.0.0.0"],
    ["192.0.2.1", "192.0.2.1"],
    ["::1", "::1"],
    ["::", "::"],
    ["::ffff:0:1", "::ffff:0:1"],
    ["64:ff9b::192.0.2.1", "64:ff9b::192.0.2.1"],
    ["2001:db8::ffff:192.0.2.1", "2001:db8::ffff:192.0.2.1"],
    ["", ""],
  ];
  for (const [address, expected] of cases) {
    it(`writes ${address === "" ? "nothing" : address} as ${expected === "" ? "nothing" : expected}`, () => {
      assert.equal(unmapped(address), expected);
    });
  }
});

describe("canonicalAddress", () => {
  const cases: readonly (readonly [address: string, expected: string])[] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::1", "::1"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["0000:0000:0000:0000:0000:0000:0000:0000", "::"],
    ["2001:DB8:0:0:0:0:0:A", "2001:db8::a"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
    ["0:0:0:0:0:FFFF:C000:0201", "192.0.2.1"],
    ["fe80::1%lo", "fe80::1%lo"],
    ["example.com", "example.com"],
    ["", ""],
  ];
  for (const [address, expected] of cases) {
    it(`writes ${address === "" ? "nothing" : address} as ${expected === "" ? "nothing" : expected}`, () => {
      assert.equal(canonicalAddress(address), expected);
    });

    it(`leaves ${expected === "" ? "nothing" : expected} as it is`, () => {
      assert.equal(canonicalAddress(expected), expected);
    });
  }

  for (const [host, family] of [
    ["127.0.0.1", "udp4"],
    ["0:0:0:0:0:0:0:1", "udp6"],
    ["::0001", "udp6"],
  ] as const) {
    it(`writes ${host} as the socket does that hears from there`, { timeout: 10_000 }, async (t) => {
      const socket = createSocket(family);
      t.after(() => socket.close());
      socket.bind({ address: host, port: 0 });
      await once(socket, "listening");
      const heard = new Promise<string>((resolve) => {
        socket.once("message", (_, { address }) => {
          resolve(address);
        });
      });
      socket.send("hello", socket.address().port, host);
      assert.equal(canonicalAddress(host), await heard);
    });
  }
});

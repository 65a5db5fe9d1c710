import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isLoopback, isLoopbackHost } from "../../src/net/loopback.js";

const addresses = ["127.0.0.1", "127.255.0.3", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1"];
const others = [
  ...["", "0.0.0.0", "::", "128.0.0.1", "10.0.0.1", "::2", "::127.0.0.1", "::ffff:10.0.0.1", "fe80::1%lo"],
  ...[
    "127.evil.example",
    "127.0.0.1.evil.example",
    "127.1",
    "localhost.evil.example",
    "127.0.0.1:80",
    "[::1]",
  ],
];

describe("the loopback", () => {
  for (const address of addresses) {
    it(`has ${address}`, () => {
      assert.equal(isLoopback(address), true);
      assert.equal(isLoopbackHost(address), true);
    });
  }

  for (const host of others) {
    it(`does not have ${JSON.stringify(host)}`, () => {
      assert.equal(isLoopback(host), false);
      assert.equal(isLoopbackHost(host), false);
    });
  }

  it("is what localhost means, which is no address", () => {
    for (const host of ["localhost", "LocalHost"]) {
      assert.equal(isLoopbackHost(host), true);
      assert.equal(isLoopback(host), false);
    }
  });
});

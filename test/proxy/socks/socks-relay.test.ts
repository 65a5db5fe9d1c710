import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DialError } from "../../../src/net/dial-error.js";
import type { Lookup } from "../../../src/net/dial.js";
import { findSocksRelay } from "../../../src/proxy/socks/socks-relay.js";

const asked: Lookup = () => assert.fail("it is looked up");

function answering(...addresses: readonly string[]): Lookup {
  return async () => Promise.resolve(addresses);
}

describe("findSocksRelay", () => {
  const addresses: readonly (readonly [bound: string, serverHost: string, host: string])[] = [
    ["192.0.2.7", "127.0.0.1", "192.0.2.7"],
    ["2001:db8::7", "127.0.0.1", "2001:db8::7"],
    ["2001:DB8:0:0::7", "::1", "2001:db8::7"],
    ["::ffff:192.0.2.7", "127.0.0.1", "192.0.2.7"],
    ["::ffff:c000:207", "127.0.0.1", "192.0.2.7"],
    ["0.0.0.0", "127.0.0.1", "127.0.0.1"],
    ["0.0.0.0", "2001:db8::1", "2001:db8::1"],
    ["::", "127.0.0.1", "127.0.0.1"],
    ["::", "fe80::1%lo", "fe80::1%lo"],
    ["::ffff:0.0.0.0", "127.0.0.1", "127.0.0.1"],
    ["0:0:0:0:0:0:0:0", "::1", "::1"],
  ];
  for (const [bound, serverHost, host] of addresses) {
    it(`is ${host} where ${serverHost} says ${bound}`, async () => {
      const options = { boundTo: { host: bound, port: 1080 }, serverHost, lookup: asked };
      assert.deepEqual(await findSocksRelay(options), { host, port: 1080 });
    });
  }

  const names: readonly (readonly [found: readonly string[], serverHost: string, host: string])[] = [
    [["192.0.2.7"], "127.0.0.1", "192.0.2.7"],
    [["2001:DB8::7", "192.0.2.7"], "127.0.0.1", "192.0.2.7"],
    [["192.0.2.7", "2001:DB8::7"], "::1", "2001:db8::7"],
    [["2001:db8::7", "2001:db8::8"], "127.0.0.1", "2001:db8::7"],
  ];
  for (const [found, serverHost, host] of names) {
    it(`is ${host} where ${serverHost} gives a name that has ${found.join(" and ")}`, async () => {
      const boundTo = { host: "relay.test", port: 5 };
      const options = { boundTo, serverHost, lookup: answering(...found) };
      assert.deepEqual(await findSocksRelay(options), { host, port: 5 });
    });
  }

  const failures: readonly (readonly [title: string, lookup: Lookup, reason: string])[] = [
    ["has no address", answering(), "its relay for packets, relay.test, has no address"],
    [
      "is unknown",
      async () => Promise.reject(new Error("getaddrinfo ENOTFOUND relay.test")),
      "its relay for packets, relay.test: getaddrinfo ENOTFOUND relay.test",
    ],
  ];
  for (const [title, lookup, reason] of failures) {
    it(`fails with a name that ${title}`, async () => {
      const options = { boundTo: { host: "relay.test", port: 5 }, serverHost: "127.0.0.1", lookup };
      await assert.rejects(findSocksRelay(options), new DialError("unresolved", reason));
    });
  }

  it("fails without a port", async () => {
    const options = { boundTo: { host: "0.0.0.0", port: 0 }, serverHost: "127.0.0.1", lookup: asked };
    const error = new DialError("failed", "its relay for packets has the port 0");
    await assert.rejects(findSocksRelay(options), error);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  formatServerAddress,
  parseServerAddress,
  type ServerAddress,
} from "../../src/client/server-address.js";

const addresses: readonly (readonly [text: string, address: ServerAddress])[] = [
  ["127.0.0.1:8080", { host: "127.0.0.1", port: 8080 }],
  ["example.com:1", { host: "example.com", port: 1 }],
  ["[::1]:65535", { host: "::1", port: 65_535 }],
  ["unix:/run/v2ray-api.sock", { path: "/run/v2ray-api.sock" }],
  ["unix:api.sock", { path: "api.sock" }],
  ["unix:/a:1", { path: "/a:1" }],
];

describe("parseServerAddress", () => {
  for (const [text, address] of addresses) {
    it(`reads ${text}, which formatServerAddress writes`, () => {
      assert.deepEqual(parseServerAddress(text), address);
      assert.equal(formatServerAddress(address), text);
    });
  }

  it("takes no host for this machine", () => {
    assert.deepEqual(parseServerAddress(":10085"), { host: "localhost", port: 10_085 });
  });

  for (const text of [
    "",
    "unix",
    "unix:",
    "unix:/a\0b",
    "a:0",
    "a:65536",
    "http://a:1",
    "::1:1",
    "/run/a.sock",
  ]) {
    it(`does not take ${JSON.stringify(text)}`, () => {
      assert.equal(parseServerAddress(text), undefined);
    });
  }
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  formatListenAddress,
  isUnix,
  maxSocketFolderBytes,
  maxSocketPathBytes,
  parseListenAddress,
} from "../../src/net/listen-address.js";

describe("parseListenAddress", () => {
  for (const [text, address] of [
    ["127.0.0.1:80", { host: "127.0.0.1", port: 80 }],
    [":0", { host: "", port: 0 }],
    ["[::1]:1", { host: "::1", port: 1 }],
    ["unix:/run/a.sock", { path: "/run/a.sock" }],
    ["unix:/run/a b:1", { path: "/run/a b:1" }],
    ["unix:///run/a.sock", { path: "/run/a.sock" }],
    ["unix:/run/b/../a.sock", { path: "/run/a.sock" }],
    // A host of that name.
    ["unix:80", { host: "unix", port: 80 }],
  ] as const) {
    it(`reads ${text}`, () => {
      assert.deepEqual(parseListenAddress(text), address);
    });
  }

  for (const text of ["", "unix:", "unix:/", "unix:/run/", "unix:run/a", "unix:@a", "/run/a", "unix:/a\0b"]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.equal(parseListenAddress(text), undefined);
    });
  }

  it("refuses what a kernel has no room for", () => {
    const longest = `/${"a".repeat(maxSocketPathBytes - 1)}`;
    assert.deepEqual(parseListenAddress(`unix:${longest}`), { path: longest });
    assert.equal(parseListenAddress(`unix:${longest}b`), undefined);
    assert.equal(parseListenAddress(`unix:/${"é".repeat(maxSocketPathBytes / 2 + 1)}`), undefined);
    const folder = `/${"f".repeat(maxSocketFolderBytes - 1)}`;
    assert.deepEqual(parseListenAddress(`unix:${folder}/a`), { path: `${folder}/a` });
    assert.equal(parseListenAddress(`unix:${folder}f/a`), undefined);
  });
});

describe("formatListenAddress", () => {
  for (const text of ["127.0.0.1:80", ":0", "[::1]:1", "unix:/run/a.sock"]) {
    it(`writes ${text}`, () => {
      const address = parseListenAddress(text) ?? assert.fail();
      assert.equal(formatListenAddress(address), text);
      assert.equal(isUnix(address), text.startsWith("unix:"));
    });
  }
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatEndpoint, maxPort, parseEndpoint, type Endpoint } from "../../src/net/endpoint.js";

const pairs: readonly (readonly [string, Endpoint])[] = [
  ["127.0.0.1:80", { host: "127.0.0.1", port: 80 }],
  ["example.com:443", { host: "example.com", port: 443 }],
  ["xn--bcher-kva.example:1", { host: "xn--bcher-kva.example", port: 1 }],
  ["localhost:0", { host: "localhost", port: 0 }],
  [":8080", { host: "", port: 8080 }],
  ["[::1]:65535", { host: "::1", port: maxPort }],
  ["[::]:53", { host: "::", port: 53 }],
  ["[::ffff:127.0.0.1]:53", { host: "::ffff:127.0.0.1", port: 53 }],
  ["[fe80::1%eth0]:53", { host: "fe80::1%eth0", port: 53 }],
];

describe("parseEndpoint", () => {
  for (const [text, endpoint] of pairs) {
    it(`reads ${text}`, () => {
      assert.deepEqual(parseEndpoint(text), endpoint);
    });
  }

  it("reads a port with zeros in front", () => {
    assert.deepEqual(parseEndpoint("a:00080"), { host: "a", port: 80 });
  });

  const malformed = [
    "",
    "80",
    "a",
    "a:",
    "a:b",
    "a:-1",
    "a:+1",
    "a:1.0",
    "a: 1",
    "a:1 ",
    " a:1",
    "a:65536",
    "a:99999",
    "a:000080",
    "a:1e3",
    "a:0x1",
    "a:１",
    "a:1\n",
    "a b:1",
    "a:b:1",
    "::1:80",
    "[::1]",
    "[::1]80",
    "[]:80",
    "[a]:80",
    "[127.0.0.1]:80",
    "[::1:80",
    "::1]:80",
    "[[::1]]:80",
    "x[::1]:80",
    "user@host:80",
    "http://host:80",
    "host/path:80",
  ];
  for (const text of malformed) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.equal(parseEndpoint(text), undefined);
    });
  }
});

describe("formatEndpoint", () => {
  for (const [text, endpoint] of pairs) {
    it(`writes ${text}`, () => {
      assert.equal(formatEndpoint(endpoint), text);
    });
  }
});

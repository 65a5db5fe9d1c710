import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toConfig } from "../../src/config/to-config.js";
import { issueLines } from "./issues.js";

const least = { type: "http", server: "proxy.example", server_port: 8080 };
const outboundOf = (keys: object) => toConfig({ outbounds: { ...least, ...keys } }).outbounds[0];

describe("an outbound of type http", () => {
  const noTls = { enabled: false, insecure: false };
  const defaults = { ...least, tag: "0", tls: noTls, connect_timeout: 5_000 };

  it("needs to know its server, and nothing else", () => {
    assert.deepEqual(outboundOf({}), defaults);
  });

  const right: readonly object[] = [
    { tag: "out" },
    { server: "2001:db8::1", server_port: 65_535 },
    { username: "alice", password: "a" },
    { username: "alice" },
    { username: "token", password: "" },
    { username: "t".repeat(1_000), password: "a:b".repeat(1_000) },
    { username: "zoë", password: "пароль🔑" },
  ];
  for (const keys of right) {
    it(`takes ${JSON.stringify(keys).slice(0, 60)} as it is`, () => {
      assert.deepEqual(outboundOf(keys), { ...defaults, ...keys });
    });
  }

  const rightTls: readonly object[] = [
    {},
    { enabled: true },
    { enabled: true, server_name: "other.example" },
    { enabled: true, server_name: "192.0.2.1" },
    { enabled: true, insecure: true },
    { enabled: true, certificate_path: "/etc/ssl/ca.pem" },
    { certificate_path: "not read" },
  ];
  for (const tls of rightTls) {
    it(`takes the TLS ${JSON.stringify(tls)} as it is`, () => {
      assert.deepEqual(outboundOf({ tls }), { ...defaults, tls: { ...noTls, ...tls } });
    });
  }

  const host = "expected an IP address without brackets, or a host name";
  const port = "expected a port number from 1 to 65535";
  const username = 'expected a user name that is not empty, without ":" and control characters';
  const password = "expected a password without control characters";
  const keys = '"type", "tag", "server", "server_port", "username", "password", "tls", "connect_timeout"';
  const tlsKeys = '"enabled", "server_name", "insecure", "certificate_path"';
  const wrong: readonly (readonly [keys: object, ...issues: readonly string[]])[] = [
    [{ server: undefined }, `server: missing; ${host}`],
    [{ server: "http://proxy.example" }, `server: ${host}, got "http://proxy.example"`],
    [{ server_port: undefined }, `server_port: missing; ${port}`],
    [{ server_port: 0 }, `server_port: ${port}, got 0`],
    [{ username: "", password: "a" }, `username: ${username}, got ""`],
    // It may have the password behind the colon.
    [{ username: "a:b", password: "a" }, `username: ${username}`],
    [{ username: "a\nb" }, `username: ${username}, got "a\\nb"`],
    [{ username: "a", password: "a\nb" }, `password: ${password}`],
    [{ username: "a", password: null }, `password: ${password}`],
    [{ tls: true }, "tls: expected an object, got a boolean"],
    [{ tls: null }, "tls: expected an object, got null"],
    [{ tls: { enabled: 1 } }, "tls.enabled: expected true or false, got 1"],
    [{ tls: { insecure: "yes" } }, 'tls.insecure: expected true or false, got "yes"'],
    [{ tls: { server_name: "" } }, `tls.server_name: ${host}, got ""`],
    [{ tls: { certificate_path: "" } }, 'tls.certificate_path: expected the path of a file in PEM, got ""'],
    [
      { tls: { certificate_path: ["a"] } },
      "tls.certificate_path: expected the path of a file in PEM, got a list",
    ],
    [{ tls: { alpn: "h2" } }, `tls.alpn: unknown key; expected one of ${tlsKeys}`],
    [{ path: "/" }, `path: unknown key; expected one of ${keys}`],
    [{ headers: {} }, `headers: unknown key; expected one of ${keys}`],
    [{ network: "tcp" }, `network: unknown key; expected one of ${keys}`],
  ];
  for (const [keysOf, ...issues] of wrong) {
    it(`refuses ${JSON.stringify(keysOf)}`, () => {
      assert.deepEqual(
        issueLines({ outbounds: { ...least, ...keysOf } }),
        issues.map((issue) => `outbounds.${issue}`),
      );
    });
  }

  it("refuses a password without a name, and does not show it", () => {
    const lines = issueLines({ outbounds: [{ ...least, password: "zqxjkvbw" }] });
    assert.deepEqual(lines, ['outbounds[0]: expected a "username" beside the "password"']);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toConfig } from "../../src/config/to-config.js";
import { issueLines } from "./issues.js";

const least = { type: "socks", server: "proxy.example", server_port: 1080 };
const outboundOf = (keys: object) => toConfig({ outbounds: { ...least, ...keys } }).outbounds[0];

describe("an outbound of type socks", () => {
  const defaults = { ...least, tag: "0", version: "5", network: ["tcp", "udp"], connect_timeout: 5_000 };

  it("needs to know its server, and nothing else", () => {
    assert.deepEqual(outboundOf({}), defaults);
  });

  const right: readonly object[] = [
    { tag: "out" },
    { server: "127.0.0.1" },
    { server: "2001:db8::1" },
    { server: "localhost" },
    { server_port: 1 },
    { server_port: 65_535 },
    { version: "5" },
    { username: "alice", password: "a" },
    { username: "alice", password: "" },
    { username: "alice" },
    { username: "a:b", password: "a:b" },
    { username: "ä".repeat(127) + "x", password: "p".repeat(255) },
    { network: ["udp", "tcp"] },
  ];
  for (const keys of right) {
    it(`takes ${JSON.stringify(keys).slice(0, 60)} as it is`, () => {
      assert.deepEqual(outboundOf(keys), { ...defaults, ...keys });
    });
  }

  for (const network of ["tcp", "udp"]) {
    it(`carries ${network} only, if that is its network`, () => {
      assert.deepEqual(outboundOf({ network }), { ...defaults, network: [network] });
      assert.deepEqual(outboundOf({ network: [network] }), { ...defaults, network: [network] });
    });
  }

  const host = "expected an IP address without brackets, or a host name";
  const port = "expected a port number from 1 to 65535";
  const version =
    'expected "5" (SOCKS4 and SOCKS4a, "4" and "4a", are not spoken: they carry no password and no UDP)';
  const username = "expected a user name of 1 to 255 bytes of UTF-8";
  const password = "expected a password of at most 255 bytes of UTF-8";
  const network = 'expected one of "tcp", "udp"';
  const keys =
    '"type", "tag", "server", "server_port", "version", "username", "password", "network", "connect_timeout"';
  const wrong: readonly (readonly [keys: object, ...issues: readonly string[]])[] = [
    [{ server: undefined }, `server: missing; ${host}`],
    [{ server: "" }, `server: ${host}, got ""`],
    [{ server: "[::1]" }, `server: ${host}, got "[::1]"`],
    [{ server: "127.0.0.1:1080" }, `server: ${host}, got "127.0.0.1:1080"`],
    [{ server: "socks5://a" }, `server: ${host}, got "socks5://a"`],
    [{ server: "a b" }, `server: ${host}, got "a b"`],
    [{ server: ["a"] }, `server: ${host}, got a list`],
    [{ server_port: undefined }, `server_port: missing; ${port}`],
    [{ server_port: 0 }, `server_port: ${port}, got 0`],
    [{ server_port: 65_536 }, `server_port: ${port}, got 65536`],
    [{ server_port: "1080" }, `server_port: ${port}, got "1080"`],
    [{ version: "4" }, `version: ${version}, got "4"`],
    [{ version: "4a" }, `version: ${version}, got "4a"`],
    [{ version: "6" }, `version: ${version}, got "6"`],
    [{ version: 5 }, `version: ${version}, got 5`],
    [{ username: "", password: "a" }, `username: ${username}, got ""`],
    [{ username: "x".repeat(256) }, `username: ${username}, got "${"x".repeat(57)}…"`],
    [{ username: 5 }, `username: ${username}, got 5`],
    [{ username: "a", password: "p".repeat(256) }, `password: ${password}`],
    [{ username: "a", password: 5 }, `password: ${password}`],
    [{ network: "icmp" }, `network: ${network}, got "icmp"`],
    [{ network: ["tcp", "icmp"] }, `network[1]: ${network}, got "icmp"`],
    [{ network: [] }, `network: ${network}`],
    [{ udp_over_tcp: false }, `udp_over_tcp: unknown key; expected one of ${keys}`],
    [{ bind_interface: "eth0" }, `bind_interface: unknown key; expected one of ${keys}`],
    [{ detour: "x" }, `detour: unknown key; expected one of ${keys}`],
    [{ tls: {} }, `tls: unknown key; expected one of ${keys}`],
    [{ server: "", server_port: -1 }, `server: ${host}, got ""`, `server_port: ${port}, got -1`],
  ];
  for (const [keysOf, ...issues] of wrong) {
    it(`refuses ${JSON.stringify(keysOf).slice(0, 60)}`, () => {
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

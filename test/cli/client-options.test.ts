import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseClientSettings, parseSeconds, serverOptions } from "../../src/cli/client-options.js";

const timeout = serverOptions.timeout.default;

describe("parseClientSettings", () => {
  const servers: readonly (readonly [text: string, host: string, port: number])[] = [
    [serverOptions.server.default, "127.0.0.1", 8080],
    ["example.com:1", "example.com", 1],
    ["[::1]:65535", "::1", 65_535],
    [":10085", "localhost", 10_085],
  ];
  for (const [server, host, port] of servers) {
    it(`reads the server ${server}`, () => {
      assert.deepEqual(parseClientSettings({ server, timeout }), {
        server: { host, port },
        timeoutMs: 3_000,
        secret: undefined,
      });
    });
  }

  for (const server of [
    "",
    "127.0.0.1",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "http://127.0.0.1:1",
    "::1:1",
    "[x]:1",
  ]) {
    it(`refuses the server ${JSON.stringify(server)}`, () => {
      assert.throws(() => parseClientSettings({ server, timeout }), {
        name: "UsageError",
        message: `server: expected HOST:PORT or [IPv6]:PORT, got ${JSON.stringify(server)}`,
      });
    });
  }
});

describe("parseSeconds", () => {
  for (const [text, ms] of [
    ["3", 3_000],
    ["0.5", 500],
    ["0.001", 1],
    ["99999", 99_999_000],
  ] as const) {
    it(`reads ${text}`, () => {
      assert.equal(parseSeconds("timeout", text), ms);
    });
  }

  for (const text of ["", "0", "-1", "1e3", "3s", "0.0001", "100000", "Infinity"]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseSeconds("timeout", text), {
        name: "UsageError",
        message: `timeout: expected seconds from 0.001 to 99999, got ${JSON.stringify(text)}`,
      });
    });
  }
});

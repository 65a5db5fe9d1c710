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
        secretFile: undefined,
        tls: undefined,
      });
    });
  }

  it("reads a Unix socket", () => {
    assert.deepEqual(parseClientSettings({ server: "unix:/run/a.sock", timeout }).server, {
      path: "/run/a.sock",
    });
  });

  const none = { ca: undefined, identity: undefined, serverName: undefined };
  for (const [values, tls] of [
    [{ tls: false }, undefined],
    [{ tls: true }, none],
    [{ ca: "ca.pem" }, { ...none, ca: "ca.pem" }],
    [{ "server-name": "a.example" }, { ...none, serverName: "a.example" }],
    [
      { cert: "c.pem", key: "k.pem" },
      { ...none, identity: { cert: "c.pem", key: "k.pem" } },
    ],
  ] as const) {
    it(`speaks ${tls === undefined ? "no TLS" : "TLS"} after ${JSON.stringify(values)}`, () => {
      assert.deepEqual(parseClientSettings({ server: ":1", timeout, ...values }).tls, tls);
    });
  }

  for (const [values, message] of [
    [{ cert: "c.pem" }, "cert: expected --key beside it"],
    [{ key: "k.pem" }, "key: expected --cert beside it"],
    [{ secret: "s3cret", "secret-file": "f" }, "secret-file: expected no --secret beside it"],
  ] as const) {
    it(`refuses ${JSON.stringify(values)}`, () => {
      assert.throws(() => parseClientSettings({ server: ":1", timeout, ...values }), {
        name: "UsageError",
        message,
      });
    });
  }

  it("takes the secret of the environment unless an option says where it is", () => {
    const env = { V2RAY_API_SECRET: "of-env" };
    const read = (values: object) => {
      const { secret, secretFile } = parseClientSettings({ server: ":1", timeout, ...values }, env);
      return [secret, secretFile];
    };
    assert.deepEqual(read({}), ["of-env", undefined]);
    assert.deepEqual(read({ secret: "given" }), ["given", undefined]);
    assert.deepEqual(read({ "secret-file": "f" }), [undefined, "f"]);
  });

  for (const server of [
    "",
    "127.0.0.1",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "http://127.0.0.1:1",
    "::1:1",
    "[x]:1",
    "unix:",
  ]) {
    it(`refuses the server ${JSON.stringify(server)}`, () => {
      assert.throws(() => parseClientSettings({ server, timeout }), {
        name: "UsageError",
        message: `server: expected HOST:PORT, [IPv6]:PORT or unix:PATH, got ${JSON.stringify(server)}`,
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

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { tlsOptionsOf } from "../../src/config/api-tls.js";
import { toConfig } from "../../src/config/to-config.js";
import { issueLines } from "./issues.js";

const withTls = (tls: unknown) => ({ experimental: { v2ray_api: { tls } } });
const optionsOf = (tls: unknown) => tlsOptionsOf(toConfig(withTls(tls)).experimental.v2ray_api.tls);
const pair = { enabled: true, certificate_path: "cert.pem", key_path: "key.pem" };
const files = { certificate: { path: "cert.pem" }, key: { path: "key.pem" } };
const defaults = { minVersion: "1.2", clientAuthentication: "no", clientCertificates: [] };

describe("v2ray_api.tls", () => {
  for (const tls of [{}, { enabled: false }, { ...pair, enabled: false }]) {
    it(`is off in ${JSON.stringify(tls)}`, () => {
      assert.equal(optionsOf(tls), undefined);
    });
  }

  const good: readonly (readonly [what: string, keys: object, options: object])[] = [
    ["files", {}, {}],
    ["another version", { min_version: "1.3" }, { minVersion: "1.3" }],
    [
      "one file of authorities",
      { client_authentication: "require-and-verify", client_certificate_path: "ca.pem" },
      { clientAuthentication: "require-and-verify", clientCertificates: [{ path: "ca.pem" }] },
    ],
    [
      "several, and the short name",
      {
        client_authentication: "require",
        client_certificate_path: ["a.pem", "b.pem"],
        client_certificate: "C",
      },
      {
        clientAuthentication: "require-and-verify",
        clientCertificates: [{ path: "a.pem" }, { path: "b.pem" }, { pem: "C" }],
      },
    ],
    [
      "certificates that prove nothing",
      { client_authentication: "require-any" },
      { clientAuthentication: "require-any" },
    ],
  ];
  for (const [what, keys, options] of good) {
    it(`reads ${what}`, () => {
      assert.deepEqual(optionsOf({ ...pair, ...keys }), { ...files, ...defaults, ...options });
    });
  }

  it("reads a certificate and a key that are not in files, as texts or lines", () => {
    const inline = { enabled: true, certificate: ["a", "b"], key: "c\nd" };
    assert.deepEqual(optionsOf(inline), { certificate: { pem: "a\nb" }, key: { pem: "c\nd" }, ...defaults });
  });

  const path = "experimental.v2ray_api.tls";
  const bad: readonly (readonly [tls: object, issue: RegExp])[] = [
    [
      { enabled: true, key_path: "k" },
      /tls: expected a "certificate_path", or a "certificate" in its place$/,
    ],
    [{ ...pair, certificate: "x" }, /tls: expected a "certificate_path", or a "certificate" in its place$/],
    [{ enabled: true, certificate_path: "c" }, /tls: expected a "key_path", or a "key" in its place$/],
    [
      { ...pair, client_authentication: "require" },
      /tls: expected a "client_certificate_path" where certificates of clients are verified$/,
    ],
    [
      { ...pair, client_authentication: "verify-if-given" },
      /tls: expected a "client_certificate_path" where certificates of clients are verified$/,
    ],
    [
      { ...pair, client_certificate_path: "c" },
      /tls: expected a "client_authentication" that verifies, where there is a "client_certificate_path"$/,
    ],
    [{ ...pair, min_version: "1.1" }, /tls\.min_version: expected one of "1\.2", "1\.3", got "1\.1"$/],
    [
      { ...pair, client_authentication: "yes" },
      /expected one of "no", "request", "require-any", "verify-if-given", "require-and-verify", "require", got "yes"$/,
    ],
    [{ ...pair, key_path: "" }, /tls\.key_path: expected the path of a file in PEM, got ""$/],
    [{ ...pair, server_name: "a" }, /tls\.server_name: unknown key/],
    [{ enabled: 1 }, /tls\.enabled: expected true or false, got 1$/],
  ];
  for (const [tls, issue] of bad) {
    it(`refuses ${JSON.stringify(tls)}`, () => {
      const [line = "", ...others] = issueLines(withTls(tls));
      assert.deepEqual(others, []);
      assert.ok(line.startsWith(path));
      assert.match(line, issue);
    });
  }

  it("shows no key in what is wrong", () => {
    const lines = issueLines(withTls({ enabled: true, key: ["-----BEGIN PRIVATE KEY-----", "zqxjkvbw", 7] }));
    assert.ok(lines.length > 0);
    assert.doesNotMatch(lines.join("\n"), /zqxjkvbw/);
  });
});

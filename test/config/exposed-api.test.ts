import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { issueLines, issuePlaces } from "./issues.js";

const withApi = (api: object) => ({ experimental: { v2ray_api: api } });
const secrets = { name: "a", secret: "s3cret" };
const outside = ["0.0.0.0:10085", "[::]:0", ":10085", "192.0.2.1:1", "panel.example:1", "127.evil.example:1"];
const inside = [
  "",
  "127.0.0.1:1",
  "127.3.2.1:0",
  "[::1]:1",
  "[::ffff:127.0.0.1]:1",
  "localhost:1",
  "unix:/a",
];

describe("an API that other machines reach", () => {
  for (const listen of outside) {
    it(`is refused without a secret: ${listen}`, () => {
      for (const api of [{}, { secrets: [] }, { insecure: false }]) {
        assert.deepEqual(issueLines(withApi({ listen, ...api })), [
          `experimental.v2ray_api.listen: ${listen} can be reached from other machines, and whoever reaches it can read ` +
            'and reset the counters; expected a "secret" or "secrets" beside it, or "tls" with "client_authentication": ' +
            '"require-and-verify", or a loopback address such as 127.0.0.1, or "insecure": true if that is meant',
        ]);
      }
    });

    it(`is fine with one, or where that is meant: ${listen}`, () => {
      for (const api of [{ secret: "s3cret" }, { secrets }, { secrets: [secrets] }, { insecure: true }]) {
        assert.deepEqual(issueLines(withApi({ listen, ...api })), []);
      }
    });
  }

  for (const listen of inside) {
    it(`is not one that listens on ${JSON.stringify(listen)}`, () => {
      assert.deepEqual(issueLines(withApi({ listen })), []);
    });
  }

  const pair = { enabled: true, certificate_path: "a", key_path: "b" };
  for (const [client_authentication, isFine] of Object.entries({
    ...{ no: false, request: false, "require-any": false, "verify-if-given": false },
    ...{ "require-and-verify": true, require: true },
  })) {
    it(`is ${isFine ? "fine" : "refused"} with TLS and ${client_authentication}`, () => {
      const isVerifying = !["no", "request", "require-any"].includes(client_authentication);
      const authorities = isVerifying ? { client_certificate_path: "c" } : {};
      const tls = { ...pair, ...authorities, client_authentication };
      const lines = issueLines(withApi({ listen: ":1", tls }));
      assert.equal(lines.length, isFine ? 0 : 1, lines.join("\n"));
    });
  }

  it("is refused with mutual TLS that is off", () => {
    const tls = { ...pair, enabled: false, client_authentication: "require" };
    assert.equal(issueLines(withApi({ listen: ":1", tls })).length, 1);
  });

  it("is refused for each address of several", () => {
    const lines = issueLines(withApi({ listen: [":1", "127.0.0.1:2", "unix:/a", "192.0.2.1:3"] }));
    assert.deepEqual(
      lines.map((line) => line.split(" can be")[0]),
      ["experimental.v2ray_api.listen[0]: :1", "experimental.v2ray_api.listen[3]: 192.0.2.1:3"],
    );
  });

  it("is not said to be one because of a secret or a flag that is wrong", () => {
    for (const [api, path] of [
      [{ secret: "" }, "secret"],
      [{ secrets: "s3cret" }, "secrets"],
    ] as const) {
      const lines = issueLines(withApi({ listen: ":1", ...api }));
      assert.deepEqual(
        lines.map((line) => line.split(":")[0]),
        [`experimental.v2ray_api.${path}`],
      );
    }
    assert.equal(issueLines(withApi({ listen: ":1", insecure: "true" })).length, 2);
  });

  it("is blamed where it says where it listens", () => {
    assert.deepEqual(issuePlaces('{"experimental": {"v2ray_api": {\n  "listen": ":1"}}}'), [
      "2:13: experimental.v2ray_api.listen",
    ]);
  });
});

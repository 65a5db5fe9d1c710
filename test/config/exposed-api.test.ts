import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { issueLines, issuePlaces } from "./issues.js";

const withApi = (api: object) => ({ experimental: { v2ray_api: api } });
const secrets = { name: "a", secret: "s3cret" };
const outside = ["0.0.0.0:10085", "[::]:0", ":10085", "192.0.2.1:1", "panel.example:1", "127.evil.example:1"];
const inside = ["", "127.0.0.1:1", "127.3.2.1:0", "[::1]:1", "[::ffff:127.0.0.1]:1", "localhost:1"];

describe("an API that other machines reach", () => {
  for (const listen of outside) {
    it(`is refused without a secret: ${listen}`, () => {
      for (const api of [{}, { secrets: [] }, { insecure: false }]) {
        assert.deepEqual(issueLines(withApi({ listen, ...api })), [
          `experimental.v2ray_api.listen: ${listen} can be reached from other machines, and whoever reaches it can read ` +
            'and reset the counters; expected a "secret" or "secrets" beside it, or a loopback address such as 127.0.0.1, ' +
            'or "insecure": true if that is meant',
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

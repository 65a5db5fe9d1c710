import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { secretsOf } from "../../src/config/api-secrets.js";
import { toConfig } from "../../src/config/to-config.js";
import { issueLines } from "./issues.js";

const withApi = (api: unknown) => ({ experimental: { v2ray_api: api } });
const secretsIn = (api: unknown) => secretsOf(toConfig(withApi(api)).experimental.v2ray_api);
const grafana = { name: "grafana", secret: "g", reset: false };
const panel = { name: "panel", secret: "p", reset: true };

describe("v2ray_api.secret and v2ray_api.secrets", () => {
  for (const [api, secrets] of [
    [{}, []],
    [{ secrets: [] }, []],
    [{ secret: "s" }, [{ name: "secret", secret: "s", reset: true }]],
    [{ secrets: [panel, grafana] }, [panel, grafana]],
    [{ secrets: { name: "grafana", secret: "g" } }, [grafana]],
    [{ secret: "s", secrets: panel }, [{ name: "secret", secret: "s", reset: true }, panel]],
  ] as const) {
    it(`are ${secrets.length} in ${JSON.stringify(api)}, and only who is said to may reset`, () => {
      assert.deepEqual(secretsIn(api), secrets);
    });
  }

  for (const secret of ["x", "!~", "x".repeat(1_024), "0123456789abcdefABCDEF+/=._-"]) {
    it(`may be ${secret.slice(0, 30)}`, () => {
      assert.equal(secretsIn({ secret })[0]?.secret, secret);
    });
  }

  const expected = "expected a secret of 1 to 1024 visible ASCII characters";
  for (const secret of ["", " ", "a b", "a\n", "a\t", "ü", "x".repeat(1_025), 5, null, ["a"], {}]) {
    it(`must not be ${JSON.stringify(secret).slice(0, 30)}`, () => {
      assert.deepEqual(issueLines(withApi({ secret })), [`experimental.v2ray_api.secret: ${expected}`]);
      assert.deepEqual(issueLines(withApi({ secrets: [{ name: "a", secret }] })), [
        `experimental.v2ray_api.secrets[0].secret: ${expected}`,
      ]);
    });
  }

  for (const [what, api, issue] of [
    ["a secret without a name", { secrets: { secret: "a" } }, "secrets.name: missing; expected a name"],
    ["an empty name", { secrets: { name: "", secret: "a" } }, "secrets.name: expected a name"],
    ["a name alone", { secrets: { name: "a" } }, `secrets.secret: missing; ${expected}`],
    [
      "a right that is none",
      { secrets: [{ ...panel, reset: "no" }] },
      "secrets[0].reset: expected true or false",
    ],
    ["a string for an object", { secrets: "s3cret" }, "secrets: expected an object"],
    [
      "one name twice",
      { secrets: [panel, { ...grafana, name: "panel" }] },
      "secrets[1].name: expected a name of its own, and not that of experimental.v2ray_api.secrets[0]",
    ],
    [
      "the name of that without one",
      { secret: "s", secrets: [{ ...panel, name: "secret" }] },
      "secrets[0].name: expected a name of its own, and not that of experimental.v2ray_api.secret",
    ],
    [
      "one secret twice",
      { secrets: [panel, { ...grafana, secret: "p" }] },
      "secrets[1].secret: expected a secret of its own, and not that of experimental.v2ray_api.secrets[0].secret",
    ],
    [
      "one secret with a name and without",
      { secret: "p", secrets: [panel] },
      "secrets[0].secret: expected a secret of its own, and not that of experimental.v2ray_api.secret",
    ],
  ] as const) {
    it(`are refused with ${what}`, () => {
      assert.deepEqual(issueLines(withApi(api)), [`experimental.v2ray_api.${issue}`]);
    });
  }
});

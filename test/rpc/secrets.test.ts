import assert from "node:assert/strict";
import { describe, it } from "node:test";
import crypto from "node:crypto";
import { syncBuiltinESMExports as syncBuiltinExports } from "node:module";
import { createCallerJudge } from "../../src/rpc/secrets.js";

const secrets = [
  { name: "panel", secret: "panel-secret", reset: true },
  { name: "grafana", secret: "grafana-secret" },
];
const panel = { name: "panel", mayReset: true };
const grafana = { name: "grafana", mayReset: false };

describe("createCallerJudge", () => {
  const judge = createCallerJudge(secrets);

  for (const [authorization, caller] of [
    ["Bearer panel-secret", panel],
    ["Bearer grafana-secret", grafana],
    ["bearer panel-secret", panel],
    ["BEARER   grafana-secret  ", grafana],
  ] as const) {
    it(`knows whose ${JSON.stringify(authorization)} is`, () => {
      assert.deepEqual(judge(authorization), caller);
    });
  }

  for (const authorization of [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "panel-secret",
    "Basic panel-secret",
    "Bearer panel-secre",
    "Bearer panel-secrets",
    "Bearer PANEL-SECRET",
    "Bearer panel",
    "Bearer panel-secret grafana-secret",
    "Bearer panel-secret,grafana-secret",
    "Bearer\tpanel-secret",
    `Bearer ${"x".repeat(10_000)}`,
  ]) {
    it(`knows nobody with ${JSON.stringify(authorization ?? "").slice(0, 50)}`, () => {
      assert.equal(judge(authorization), undefined);
    });
  }

  it("knows nobody without a secret, with an empty one, or where there is none", () => {
    assert.equal(createCallerJudge([])("Bearer x"), undefined);
    const empty = createCallerJudge([{ name: "a", secret: "", reset: true }]);
    for (const authorization of ["Bearer", "Bearer ", "Bearer  ", ""]) {
      assert.equal(empty(authorization), undefined);
    }
  });

  it("takes a secret beyond ASCII by its bytes", () => {
    const judgeUnicode = createCallerJudge([{ name: "ü", secret: "geheimnüs", reset: true }]);
    const asNodeReadsIt = Buffer.from("geheimnüs").toString("latin1");
    assert.deepEqual(judgeUnicode(`Bearer ${asNodeReadsIt}`), { name: "ü", mayReset: true });
  });

  it("compares with every secret, whole, whichever is right, by a comparison of constant time", (t) => {
    const compare = t.mock.method(crypto, "timingSafeEqual");
    // What the module has imported is this object's once it is told so.
    t.after(syncBuiltinExports);
    syncBuiltinExports();
    for (const token of ["panel-secret", "grafana-secret", "p", "x".repeat(1_000)]) {
      compare.mock.resetCalls();
      judge(`Bearer ${token}`);
      const lengths = compare.mock.calls.map(({ arguments: [a, b] }) => [a.byteLength, b.byteLength]);
      assert.deepEqual(lengths, [
        [32, 32],
        [32, 32],
      ]);
    }
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toConfig } from "../../src/config/to-config.js";
import { issueLines } from "./issues.js";

const withTimeouts = (timeouts: unknown) => ({ experimental: { timeouts } });
const defaults = { handshake: 15_000, idle: 0, linger: 2_000, http_keep_alive: 60_000 };
const keys = Object.keys(defaults);
const expected = 'a duration such as "300ms", "5s" or "1m30s", longer than 0 and at most 2147483647ms';

describe("experimental.timeouts", () => {
  it("has defaults, each by itself", () => {
    assert.deepEqual(toConfig({}).experimental.timeouts, defaults);
    assert.deepEqual(toConfig(withTimeouts({ linger: "1m" })).experimental.timeouts, {
      ...defaults,
      linger: 60_000,
    });
  });

  for (const key of keys) {
    for (const [text, ms] of [
      ["300ms", 300],
      ["1m30s", 90_000],
      ["2147483647ms", 2_147_483_647],
      ["1ns", 1],
    ] as const) {
      it(`takes ${text} for ${key}`, () => {
        assert.deepEqual(toConfig(withTimeouts({ [key]: text })).experimental.timeouts, {
          ...defaults,
          [key]: ms,
        });
      });
    }

    for (const bad of ["", "soon", "-1s", "5", "2147483648ms", 5, null]) {
      it(`refuses ${JSON.stringify(bad)} for ${key}`, () => {
        const wanted = key === "idle" ? `${expected}, or "0" for never` : expected;
        assert.deepEqual(issueLines(withTimeouts({ [key]: bad })), [
          `experimental.timeouts.${key}: expected ${wanted}, got ${JSON.stringify(bad)}`,
        ]);
      });
    }
  }

  for (const never of ["0", "0s", "+0", "0h0m"]) {
    it(`takes ${never} for never where something may last for ever, and nowhere else`, () => {
      assert.equal(toConfig(withTimeouts({ idle: never })).experimental.timeouts.idle, 0);
      for (const key of keys.filter((name) => name !== "idle")) {
        assert.deepEqual(issueLines(withTimeouts({ [key]: never })), [
          `experimental.timeouts.${key}: expected ${expected}, got "${never}"`,
        ]);
      }
    });
  }

  it("knows no other keys", () => {
    assert.deepEqual(issueLines(withTimeouts({ connect: "1s" })), [
      'experimental.timeouts.connect: unknown key; expected one of "handshake", "idle", "linger", "http_keep_alive"',
    ]);
  });
});

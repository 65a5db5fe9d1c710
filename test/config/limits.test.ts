import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toConfig } from "../../src/config/to-config.js";
import { issueLines } from "./issues.js";

const withLimits = (limits: unknown) => ({ experimental: { limits } });

describe("experimental.limits", () => {
  it("has defaults, each by itself", () => {
    const { limits } = toConfig(withLimits({ connections: 7 })).experimental;
    assert.deepEqual(limits, { connections: 7, connections_per_source: 4_096 });
    assert.deepEqual(toConfig(withLimits({})).experimental.limits, {
      connections: 65_536,
      connections_per_source: 4_096,
    });
  });

  it("keeps what is given", () => {
    const limits = { connections: 2 ** 24, connections_per_source: 1 };
    assert.deepEqual(toConfig(withLimits(limits)).experimental.limits, limits);
  });

  for (const key of ["connections", "connections_per_source"]) {
    for (const bad of [0, -1, 1.5, 2 ** 24 + 1, "7", null]) {
      it(`refuses ${JSON.stringify(bad)} for ${key}`, () => {
        assert.deepEqual(issueLines(withLimits({ [key]: bad })), [
          `experimental.limits.${key}: expected a whole number from 1 to 16777216, got ${JSON.stringify(bad)}`,
        ]);
      });
    }
  }

  it("knows no other keys", () => {
    assert.deepEqual(issueLines(withLimits({ max: 1 })), [
      'experimental.limits.max: unknown key; expected one of "connections", "connections_per_source"',
    ]);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toTraffic, type Reading } from "../../src/client/traffic-rates.js";

/** A reading of users' counters: what each has sent, and received. */
function reading(
  atMs: number,
  users: Readonly<Record<string, readonly [up: bigint, down: bigint]>>,
): Reading {
  const stats = Object.entries(users).flatMap(([user, [up, down]]) => [
    { name: `user>>>${user}>>>traffic>>>uplink`, value: up },
    { name: `user>>>${user}>>>traffic>>>downlink`, value: down },
  ]);
  return { atMs, stats };
}

describe("toTraffic", () => {
  it("knows no rates after one reading", () => {
    assert.deepEqual(toTraffic("user", reading(5_000, { alice: [1n, 2n] })), [
      { tag: "alice", up: 1n, down: 2n, upRate: undefined, downRate: undefined },
    ]);
  });

  it("divides what has moved by the time between two readings", () => {
    const before = reading(1_000, { alice: [100n, 5n] });
    const after = reading(3_500, { alice: [1_100n, 5n] });
    assert.deepEqual(toTraffic("user", after, before), [
      { tag: "alice", up: 1_100n, down: 5n, upRate: 400n, downRate: 0n },
    ]);
  });

  it("takes what a counter shows for new where it has fallen: someone has reset it", () => {
    const [row] = toTraffic("user", reading(1_000, { alice: [30n, 0n] }), reading(0, { alice: [500n, 0n] }));
    assert.deepEqual([row?.upRate, row?.downRate], [30n, 0n]);
  });

  it("takes a counter that was not there for new", () => {
    const [row] = toTraffic("user", reading(2_000, { bob: [500n, 60n] }), reading(0, {}));
    assert.deepEqual([row?.upRate, row?.downRate], [250n, 30n]);
  });

  it("is not stopped by two readings at the same moment", () => {
    const [row] = toTraffic("user", reading(7, { bob: [2n, 0n] }), reading(7, { bob: [1n, 0n] }));
    assert.equal(row?.upRate, 1_000n);
  });

  it("is exact beyond what a number holds", () => {
    const before = reading(0, { alice: [2n ** 62n, 0n] });
    const [row] = toTraffic("user", reading(1_000, { alice: [2n ** 62n + 3n, 0n] }), before);
    assert.equal(row?.upRate, 3n);
  });

  it("puts the fastest first, then who has moved the most, then by name", () => {
    const before = reading(0, { idle: [9n, 9n], slow: [0n, 0n], fast: [0n, 0n], b: [1n, 0n], a: [0n, 1n] });
    const after = reading(1_000, {
      ...{ b: [1n, 0n], a: [0n, 1n], idle: [9n, 9n], slow: [5n, 5n], fast: [0n, 11n] },
    });
    assert.deepEqual(
      toTraffic("user", after, before).map(({ tag }) => tag),
      ["fast", "slow", "idle", "a", "b"],
    );
  });

  it("shows one kind, and nothing that is no traffic", () => {
    const names = [
      ...["inbound>>>in>>>traffic>>>uplink", "outbound>>>out>>>traffic>>>downlink"],
      ...["user>>>alice>>>online", "user>>>alice>>>traffic>>>packets", "nonsense", ""],
    ];
    const current = { atMs: 0, stats: names.map((name) => ({ name, value: 3n })) };
    const tags = (["inbound", "outbound", "user"] as const).map((scope) =>
      toTraffic(scope, current).map(({ tag, up, down }) => [tag, up, down]),
    );
    assert.deepEqual(tags, [[["in", 3n, 0n]], [["out", 0n, 3n]], []]);
  });
});

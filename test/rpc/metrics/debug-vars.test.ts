import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { debugVars, type DebugVarsOptions } from "../../../src/rpc/metrics/debug-vars.js";
import { CounterStore } from "../../../src/stats/counter-store.js";
import { statScopes } from "../../../src/stats/stat-name.js";
import { count } from "../../helpers/api-server.js";

const sysStats = {
  read: () => ({
    ...{ NumGoroutine: 7, NumGC: 3, Alloc: 2n ** 53n + 1n, TotalAlloc: 2n, Sys: 5_000n },
    ...{ Mallocs: 0n, Frees: 0n, LiveObjects: 0n, PauseTotalNs: 1_500n, Uptime: 42 },
  }),
};

function write(options: Partial<DebugVarsOptions> = {}): string {
  return [...debugVars({ store: new CounterStore(), sysStats, scopes: statScopes, ...options })].join("");
}

describe("debugVars()", () => {
  it("has Xray's shape, all its scopes included, where nothing was counted", () => {
    for (const store of [new CounterStore(), undefined]) {
      const { stats, memstats } = JSON.parse(write({ store })) as Record<string, object>;
      assert.deepEqual(stats, { inbound: {}, outbound: {}, user: {} });
      const names = ["Alloc", "TotalAlloc", "Sys", "Mallocs", "Frees", "PauseTotalNs", "NumGC"];
      assert.deepEqual(Object.keys(memstats ?? {}), names);
    }
  });

  it("tells what was counted by scope, tag and direction", () => {
    const store = new CounterStore();
    const awkward = 'a"b\\c\n__proto__';
    count(store, "inbound>>>in>>>traffic>>>uplink", 1);
    count(store, "inbound>>>in>>>traffic>>>downlink", 2);
    count(store, "inbound>>>other>>>traffic>>>downlink", 3);
    count(store, `user>>>${awkward}>>>traffic>>>uplink`, 4);
    const { stats } = JSON.parse(write({ store })) as { stats: object };
    assert.deepEqual(stats, {
      inbound: { in: { uplink: 1, downlink: 2 }, other: { downlink: 3 } },
      outbound: {},
      user: { [awkward]: { uplink: 4 } },
    });
  });

  it("writes numbers whole that JavaScript would round", () => {
    const store = new CounterStore();
    count(store, "user>>>alice>>>traffic>>>uplink", 2n ** 63n - 1n);
    const text = write({ store });
    assert.ok(text.includes('"alice":{"uplink":9223372036854775807}'), text);
    assert.ok(text.includes('"Alloc":9007199254740993,'), text);
  });

  it("tells lifetime totals, which a reset leaves alone", () => {
    const store = new CounterStore();
    const counter = count(store, "user>>>alice>>>traffic>>>uplink", 5);
    const before = write({ store });
    counter.reset();
    assert.equal(write({ store }), before);
  });

  it("leaves the scopes empty that are not asked for", () => {
    const store = new CounterStore();
    for (const scope of statScopes) store.pair(scope, "a");
    const { stats } = JSON.parse(write({ store, scopes: ["inbound", "outbound"] })) as { stats: object };
    const a = { uplink: 0, downlink: 0 };
    assert.deepEqual(stats, { inbound: { a }, outbound: { a }, user: {} });
  });
});

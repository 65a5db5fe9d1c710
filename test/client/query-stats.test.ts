import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { queryStats, type StatsQuery } from "../../src/client/query-stats.js";
import { StatsClient } from "../../src/client/stats-client.js";
import { startApi } from "../helpers/api-server.js";
import { kinds, startFamilyServer, type FamilyKind, type FamilyServer } from "../helpers/family-server.js";
import { failOnUnhandled } from "../helpers/unhandled.js";

const io = { timeout: 10_000 };

const counters: readonly (readonly [name: string, value: bigint])[] = [
  ["inbound>>>in>>>traffic>>>uplink", 1n],
  ["outbound>>>out>>>traffic>>>uplink", 20n],
  ["user>>>alice>>>traffic>>>uplink", 300n],
  ["user>>>alice>>>traffic>>>downlink", 4_000n],
];

async function start(
  t: TestContext,
  kind: FamilyKind,
): Promise<{ readonly family: FamilyServer; readonly client: StatsClient }> {
  const family = await startFamilyServer(t, kind);
  for (const [name, value] of counters) family.counters.set(name, value);
  const client = new StatsClient(family.server);
  t.after(() => {
    client[Symbol.dispose]();
  });
  return { family, client };
}

/** Those of the counters whose names contain one of the texts, as they were at first. */
function those(...texts: readonly string[]): Readonly<Record<string, bigint>> {
  return Object.fromEntries(counters.filter(([name]) => texts.some((text) => name.includes(text))));
}

async function read(client: StatsClient, query: StatsQuery): Promise<Readonly<Record<string, bigint>>> {
  const { stats, failure } = await queryStats(client, query);
  assert.equal(failure, undefined);
  assert.equal(new Set(stats.map(({ name }) => name)).size, stats.length, "a name twice");
  return Object.fromEntries(stats.map(({ name, value }) => [name, value]));
}

/** What is asked, and what it means, whoever is asked. */
const queries: readonly (readonly [title: string, query: StatsQuery, texts: readonly string[]])[] = [
  ["no pattern", {}, [""]],
  ["an empty pattern", { patterns: [""] }, [""]],
  ["an empty pattern among others", { patterns: ["alice", ""] }, [""]],
  ["one pattern", { patterns: ["alice"] }, ["alice"]],
  ["a pattern twice", { patterns: ["alice", "alice"] }, ["alice"]],
  [
    "patterns that both fit a counter",
    { patterns: ["alice", "downlink", "in>>>"] },
    ["alice", "downlink", "in>>>"],
  ],
  ["a pattern that fits nothing", { patterns: ["nobody"] }, ["nobody"]],
  ["a pattern that would be an expression", { patterns: ["al.ce"] }, ["al.ce"]],
];

describe("queryStats", () => {
  failOnUnhandled();

  for (const kind of kinds) {
    for (const [title, query, texts] of queries) {
      it(`reads from ${kind} what ${title} means`, io, async (t) => {
        const { family, client } = await start(t, kind);
        assert.deepEqual(await read(client, query), those(...texts));
        assert.deepEqual([...family.counters], counters);
      });

      it(`resets at ${kind} what ${title} means, and nothing else`, io, async (t) => {
        const { family, client } = await start(t, kind);
        const expected = those(...texts);
        assert.deepEqual(await read(client, { ...query, reset: true }), expected);
        const left = counters.map(([name, value]) => [name, name in expected ? 0n : value]);
        assert.deepEqual([...family.counters], left);
      });
    }

    it(`has expressions matched, by ${kind} or here`, io, async (t) => {
      const { family, client } = await start(t, kind);
      const query = { patterns: ["al.ce.*uplink$", "^(in|out)bound"], regexp: true };
      assert.deepEqual(await read(client, query), those("alice>>>traffic>>>up", "bound>>>"));
      assert.deepEqual([...family.counters], counters);
    });
  }

  for (const kind of ["V2Ray 5", "sing-box"] as const) {
    it(`resets by expressions at ${kind}, which matches them`, io, async (t) => {
      const { family, client } = await start(t, kind);
      const query = { patterns: ["al.ce", "down"], regexp: true, reset: true };
      assert.deepEqual(await read(client, query), those("alice"));
      assert.deepEqual([...family.counters.values()], [1n, 20n, 0n, 0n]);
    });
  }

  for (const kind of ["V2Ray 4", "Xray", "Xray, under its own name only"] as const) {
    it(`resets nothing by expressions at ${kind}, which cannot match them`, io, async (t) => {
      const { family, client } = await start(t, kind);
      await assert.rejects(queryStats(client, { patterns: ["al.ce"], regexp: true, reset: true }), {
        code: "no_regexp",
        message: "it cannot match regular expressions, and nothing is reset without that",
      });
      assert.deepEqual([...family.counters], counters);
    });
  }

  for (const patterns of [
    ["alice", "("],
    ["", "("],
    ["(", ""],
  ]) {
    it(`finds a bad expression before it calls anyone: ${JSON.stringify(patterns)}`, io, async (t) => {
      const { family, client } = await start(t, "V2Ray 5");
      const query = { patterns, regexp: true, reset: true };
      await assert.rejects(queryStats(client, query), { code: "bad_regexp" });
      assert.deepEqual(family.calls, []);
    });
  }

  it("hands over what was reset before a call failed", io, async (t) => {
    const { family, client } = await start(t, "V2Ray 5");
    family.failFrom = 2;
    const { stats, failure } = await queryStats(client, { patterns: ["alice", "inbound"], reset: true });
    assert.deepEqual(Object.fromEntries(stats.map(({ name, value }) => [name, value])), those("alice"));
    assert.equal(failure?.message, "no more of this (ResourceExhausted)");
  });

  it("hands over nothing where nothing was reset", io, async (t) => {
    const { family, client } = await start(t, "V2Ray 5");
    family.failFrom = 2;
    await assert.rejects(queryStats(client, { patterns: ["alice", "inbound"] }), { code: "refused" });
    family.failFrom = 1;
    await assert.rejects(queryStats(client, { patterns: ["alice"], reset: true }), { code: "refused" });
  });

  it("sums what moved between the resets of two patterns", io, async (t) => {
    const { family, client } = await start(t, "sing-box");
    const name = "user>>>alice>>>traffic>>>uplink";
    const push = family.calls.push.bind(family.calls);
    // Seven bytes more at each call.
    family.calls.push = (...calls) => {
      family.counters.set(name, (family.counters.get(name) ?? 0n) + 7n);
      return push(...calls);
    };
    const { [name]: sum } = await read(client, { patterns: ["alice", "uplink"], reset: true });
    assert.equal(sum, 314n);
    assert.equal(family.counters.get(name), 0n);
  });

  it("reads our own server, with expressions and without", io, async (t) => {
    const { store, port } = await startApi(t);
    for (const [tag, direction, bytes] of [
      ["alice", "uplink", 300],
      ["bob", "downlink", 50],
    ] as const) {
      store.counter({ scope: "user", tag, direction }).add(bytes);
    }
    const client = new StatsClient({ host: "127.0.0.1", port });
    t.after(() => {
      client[Symbol.dispose]();
    });
    const alice = { "user>>>alice>>>traffic>>>uplink": 300n };
    assert.deepEqual(await read(client, { patterns: ["alice"] }), alice);
    assert.deepEqual(await read(client, { patterns: ["al.ce"], regexp: true, reset: true }), alice);
    assert.deepEqual(await read(client, {}), {
      "user>>>alice>>>traffic>>>uplink": 0n,
      "user>>>bob>>>traffic>>>downlink": 50n,
    });
  });
});

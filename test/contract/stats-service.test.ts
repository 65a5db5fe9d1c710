import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it, type TestContext } from "node:test";
import { Code } from "@connectrpc/connect";
import { count, startApi, userUplink, valuesOf, type TestApi } from "../helpers/api-server.js";
import { serviceNames } from "../helpers/api-client.js";
import {
  failureOf,
  openStatsClient,
  services,
  serviceWays,
  ways,
  type StatsClient,
} from "../helpers/stats-clients.js";

const alice = userUplink("alice");
const bob = userUplink("bob");
const inbound = "inbound>>>socks-in>>>traffic>>>downlink";
const outbound = "outbound>>>direct>>>traffic>>>uplink";

const maxInt64 = 2n ** 63n - 1n;

interface Opened {
  readonly api: TestApi;
  readonly client: StatsClient;
}

for (const { service, way } of serviceWays) {
  describe(`${service.typeName} by ${way.way}`, { timeout: 30_000 }, () => {
    describeService(async (t) => {
      const api = await startApi(t);
      return { api, client: openStatsClient(t, api, { way, service }) };
    });
  });
}

function describeService(start: (t: TestContext) => Promise<Opened>): void {
  /** A server with four counters. */
  async function startFull(t: TestContext): Promise<Opened> {
    const opened = await start(t);
    for (const [index, name] of [alice, bob, inbound, outbound].entries()) {
      count(opened.api.store, name, (index + 1) * 100);
    }
    return opened;
  }

  const full = { [alice]: 100n, [bob]: 200n, [inbound]: 300n, [outbound]: 400n };

  it("reads a counter", async (t) => {
    const { client } = await startFull(t);
    assert.equal(await client.get(alice), 100n);
    assert.equal(await client.get(alice), 100n);
  });

  it("reads a counter at zero", async (t) => {
    const { api, client } = await start(t);
    count(api.store, alice, 0);
    assert.equal(await client.get(alice), 0n);
    assert.deepEqual(await client.query({}), [[alice, 0n]]);
  });

  it("resets a counter in the step in which it reads it, and no other", async (t) => {
    const { api, client } = await startFull(t);
    assert.equal(await client.get(alice, true), 100n);
    assert.equal(await client.get(alice, true), 0n);
    count(api.store, alice, 5);
    assert.equal(await client.get(alice), 5n);
    assert.deepEqual(valuesOf(api.store), { ...full, [alice]: 5n });
  });

  it("says NOT_FOUND and the name for a counter that does not exist, and creates none", async (t) => {
    const { api, client } = await start(t);
    for (const name of [alice, "", "no counter's name", "ünïcödé", "user>>>a@b:c/d?e%20%f>>>x"]) {
      assert.deepEqual(await failureOf(client.get(name, true)), {
        code: Code.NotFound,
        message: `${name} not found.`,
      });
    }
    assert.equal(Code.NotFound, 5);
    assert.equal(api.store.size, 0);
  });

  const queries = [
    { what: "every counter without a pattern", query: {}, listed: [alice, bob, inbound, outbound] },
    {
      what: "every counter, regexp or not",
      query: { regexp: true },
      listed: [alice, bob, inbound, outbound],
    },
    {
      what: "the same with an empty `pattern`",
      query: { pattern: "" },
      listed: [alice, bob, inbound, outbound],
    },
    {
      what: "only the patterns' with an empty `pattern`",
      query: { pattern: "", patterns: ["bob"] },
      listed: [bob],
    },
    {
      what: "every counter for an empty pattern in the list",
      query: { patterns: [""] },
      listed: Object.keys(full),
    },
    {
      what: "every counter once where one of two patterns is empty",
      query: { patterns: ["alice", ""] },
      listed: [alice, bob, inbound, outbound],
    },
    { what: "what contains the pattern", query: { pattern: "user>>>" }, listed: [alice, bob] },
    {
      what: "what contains a pattern of the list",
      query: { patterns: ["uplink"] },
      listed: [alice, bob, outbound],
    },
    {
      what: "what any pattern matches, `pattern` being one more",
      query: { pattern: "bob", patterns: ["direct", "nothing"] },
      listed: [bob, outbound],
    },
    {
      what: "each counter once however many patterns match it",
      query: { pattern: "alice", patterns: ["alice", "user", "uplink", "alice"] },
      listed: [alice, bob, outbound],
    },
    { what: "nothing where nothing matches", query: { patterns: ["ALICE", "ali*"] }, listed: [] },
    { what: "no regular expression unasked", query: { patterns: ["^user", ".*", "a|b"] }, listed: [] },
    {
      what: "what a regular expression finds",
      query: { patterns: ["^user>>>b"], regexp: true },
      listed: [bob],
    },
    {
      what: "what a regular expression finds anywhere in the name",
      query: { patterns: ["o[bc]", "lice"], regexp: true },
      listed: [alice, bob, inbound],
    },
    {
      what: "what an expression in `pattern` finds",
      query: { pattern: "direct>>>.*link$", regexp: true },
      listed: [outbound],
    },
    {
      what: "RE2's own syntax",
      query: { patterns: ["(?P<who>BOB)(?-i)|(?i)BOB"], regexp: true },
      listed: [bob],
    },
    {
      what: "everything for the empty expression",
      query: { patterns: [""], regexp: true },
      listed: Object.keys(full),
    },
    {
      what: "what a much repeated expression finds",
      query: { patterns: ["(a?){500}a{500}", "socks"], regexp: true },
      listed: [inbound],
    },
  ];
  for (const { what, query, listed } of queries) {
    it(`lists ${what}, and resets exactly that`, async (t) => {
      const { api, client } = await startFull(t);
      const expected = Object.entries(full).filter(([name]) => listed.includes(name));
      assert.deepEqual(await client.query(query), expected);
      assert.deepEqual(valuesOf(api.store), full);
      assert.deepEqual(await client.query({ ...query, reset: true }), expected);
      const left = Object.entries(full).map(([name, value]) => [name, listed.includes(name) ? 0n : value]);
      assert.deepEqual(valuesOf(api.store), Object.fromEntries(left));
    });
  }

  const refusals = [
    {
      what: "an open group",
      patterns: ["a(b"],
      reason: /bad regular expression "a\(b": .*missing closing \)/,
    },
    { what: "look-ahead", patterns: ["a(?=b)"], reason: /"a\(\?=b\)": .*\(\?=/ },
    { what: "look-behind", patterns: ["(?<!a)b"], reason: /"\(\?<!a\)b": / },
    { what: "a back reference", patterns: ["(a)\\1"], reason: /"\(a\)\\\\1": .*invalid escape/ },
    {
      what: "a bad one among good ones",
      patterns: ["alice", "*", "bob"],
      reason: /"\*": .*missing argument/,
    },
    {
      what: "a long one",
      patterns: ["x".repeat(4_097)],
      reason: /4097 characters in the request's patterns, at most 4096 are allowed$/,
    },
    {
      what: "too many repeats in all",
      patterns: ["a{1000}", "b{1000}", "c{1}"],
      reason: /"c\{1\}": 2001 repeats in the request's patterns, at most 2000 are allowed$/,
    },
    {
      what: "too many instructions",
      patterns: ["(abcdefghij){500}"],
      reason: /\d+ instructions, at most 4000 are allowed$/,
    },
  ];
  for (const { what, patterns, reason } of refusals) {
    it(`refuses ${what} as INVALID_ARGUMENT, and resets nothing`, async (t) => {
      const { api, client } = await startFull(t);
      const { code, message } = await failureOf(client.query({ patterns, regexp: true, reset: true }));
      assert.equal(code, Code.InvalidArgument);
      assert.equal(Code.InvalidArgument, 3);
      assert.match(message, reason);
      assert.deepEqual(valuesOf(api.store), full);
    });
  }

  for (const bytes of [2n ** 31n, 2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 62n + 12_345n, maxInt64]) {
    it(`answers ${bytes} bytes exactly`, async (t) => {
      const { api, client } = await start(t);
      count(api.store, alice, bytes);
      assert.equal(await client.get(alice), bytes);
      assert.deepEqual(await client.query({ reset: true }), [[alice, bytes]]);
      assert.equal(await client.get(alice), 0n);
    });
  }

  it("answers names in any script", async (t) => {
    const { api, client } = await start(t);
    const names = ["日本", "émile", 'a b\t"c"', "🦊", "%20"].map(userUplink);
    for (const name of names) count(api.store, name, 1);
    assert.deepEqual(
      await client.query({}),
      names.map((name) => [name, 1n]),
    );
    assert.deepEqual(await client.query({ patterns: ["🦊"] }), [[userUplink("🦊"), 1n]]);
    assert.deepEqual(await client.query({ patterns: ["^user>>>..>>>"], regexp: true }), [
      [userUplink("日本"), 1n],
    ]);
  });

  it("answers GetSysStats with figures of this process, and zeros where V8 has none", async (t) => {
    const { client } = await start(t);
    const first = await client.sys();
    assert.ok(first.NumGoroutine >= 0);
    assert.ok(first.Alloc > 1_000_000n);
    assert.ok(first.Sys > first.Alloc / 2n);
    assert.deepEqual([first.Mallocs, first.Frees, first.LiveObjects], [0n, 0n, 0n]);
    assert.equal(first.Uptime, 0);
    const second = await client.sys();
    assert.ok(second.TotalAlloc >= first.TotalAlloc);
    assert.ok(second.NumGC >= first.NumGC);
    assert.ok(second.PauseTotalNs >= first.PauseTotalNs);
    // One call may be answered while V8 sweeps more than it allocates; calls in a row may not.
    while ((await client.sys()).TotalAlloc === first.TotalAlloc);
  });

  it("says UNIMPLEMENTED for a method and a service that it does not know", async (t) => {
    const { client } = await startFull(t);
    assert.equal(Code.Unimplemented, 12);
    assert.equal((await failureOf(client.callMethod("GetStatsOfNow"))).code, Code.Unimplemented);
    assert.equal((await failureOf(client.callService("grpc.nothing.v1.Nothing"))).code, Code.Unimplemented);
    assert.equal(await client.get(alice), 100n);
  });
}

describe("the services", () => {
  it("are those that the field calls", () => {
    assert.deepEqual(
      services.map(({ typeName }) => typeName),
      serviceNames,
    );
  });

  it("share their counters", async (t) => {
    const api = await startApi(t);
    count(api.store, alice, 42);
    const values = [];
    for (const service of services) {
      const clients = ways.slice(1).map((way) => openStatsClient(t, api, { way, service }));
      values.push(...(await Promise.all(clients.map(async (client) => client.get(alice, true)))));
    }
    assert.deepEqual(values.sort(), [...values.slice(1).map(() => 0n), 42n]);
  });

  it("answer any number of callers at once, no byte twice", async (t) => {
    const api = await startApi(t);
    const clients = services.flatMap((service) =>
      ways.slice(1).map((way) => openStatsClient(t, api, { way, service })),
    );
    let sum = 0n;
    await Promise.all(
      clients.map(async (client) => {
        for (let round = 0; round < 10; round++) {
          count(api.store, alice, 1_000);
          const value = await client.get(alice, true);
          sum += value ?? 0n;
        }
      }),
    );
    assert.equal(sum + (api.store.get(alice)?.value ?? 0n), BigInt(clients.length) * 10_000n);
  });

  const protoFiles = [
    { file: "v2ray/core/app/stats/command/command.proto", packageName: "v2ray.core.app.stats.command" },
    { file: "xray/app/stats/command/command.proto", packageName: "xray.app.stats.command" },
    { file: "experimental/v2rayapi/stats.proto", packageName: "experimental.v2rayapi" },
  ];
  it("are described by .proto files that differ in nothing but the package, and in Xray's calls", async () => {
    const [v2ray = "", xray, singBox] = await Promise.all(
      protoFiles.map(async ({ file, packageName }) => {
        const text = await readFile(new URL(`../../../proto/${file}`, import.meta.url), "utf8");
        const withoutComments = text.replaceAll(/^\s*\/\/.*\n/gm, "");
        const packageLine = `package ${packageName};`;
        assert.equal(withoutComments.split(packageLine).length, 2, file);
        return withoutComments.replace(packageLine, "package;");
      }),
    );
    assert.equal(xray, v2ray);
    const withoutXrayCalls = v2ray
      .replace(/message GetStatsOnlineIpListResponse .*(?=service )/s, "")
      .replaceAll(/^\s+rpc Get(StatsOnline|AllOnline|Users).*\n/gm, "");
    assert.equal(singBox, withoutXrayCalls);
  });
});

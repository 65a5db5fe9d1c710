import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ClientError } from "../../src/client/client-error.js";
import { getStats } from "../../src/client/get-stats.js";
import { queryStats } from "../../src/client/query-stats.js";
import { StatsClient } from "../../src/client/stats-client.js";
import { readSysStats } from "../../src/client/sys-stats.js";
import { badServers } from "../helpers/bad-servers.js";
import { kinds, startFamilyServer } from "../helpers/family-server.js";
import { closeAfter } from "../helpers/sockets.js";
import { failOnUnhandled } from "../helpers/unhandled.js";

const io = { timeout: 10_000 };

describe("StatsClient", () => {
  failOnUnhandled();

  for (const { title, code, timeoutMs, message, ...bad } of badServers) {
    it(`says what is wrong with ${title}`, io, async (t) => {
      closeAfter(t);
      using client = new StatsClient(await bad.start(t), { timeoutMs });
      await assert.rejects(readSysStats(client), (error) => {
        assert.ok(error instanceof ClientError);
        assert.match(error.message, message);
        assert.equal(error.code, code);
        return true;
      });
    });
  }

  it("finds the service under Xray's name, and remembers it", io, async (t) => {
    const family = await startFamilyServer(t, "Xray, under its own name only");
    using client = new StatsClient(family.server);
    await readSysStats(client);
    await readSysStats(client);
    assert.deepEqual(family.calls, ["xray.GetSysStats", "xray.GetSysStats"]);
  });

  it("prefers V2Ray's name, which most servers have", io, async (t) => {
    const family = await startFamilyServer(t, "Xray");
    using client = new StatsClient(family.server);
    await queryStats(client);
    assert.deepEqual(family.calls, ["v2ray.QueryStats"]);
  });

  it("says what the server has said", io, async (t) => {
    const family = await startFamilyServer(t, "V2Ray 5");
    family.failFrom = 1;
    using client = new StatsClient(family.server);
    await assert.rejects(readSysStats(client), {
      name: "ClientError",
      code: "refused",
      message: "no more of this (ResourceExhausted)",
    });
  });

  it("takes an answer that is larger than gRPC's clients usually take", io, async (t) => {
    const family = await startFamilyServer(t, "V2Ray 5");
    const tail = "x".repeat(1_000);
    for (let index = 0; index < 5_000; index++) family.counters.set(`${index}${tail}`, BigInt(index));
    using client = new StatsClient(family.server, { timeoutMs: 9_000 });
    const { stats } = await queryStats(client);
    assert.equal(stats.length, 5_000);
    assert.deepEqual(stats.at(-1), { name: `4999${tail}`, value: 4_999n });
  });

  it("connects anew where the connection was lost", io, async (t) => {
    const family = await startFamilyServer(t, "V2Ray 5");
    using client = new StatsClient(family.server);
    await readSysStats(client);
    client[Symbol.dispose]();
    assert.equal((await readSysStats(client)).Uptime, 3_725);
    assert.equal(family.calls.length, 2);
  });
});

describe("getStats", () => {
  for (const kind of kinds) {
    it(`reads one counter of ${kind}, and resets it if told to`, io, async (t) => {
      const family = await startFamilyServer(t, kind);
      family.counters.set("a", 5n);
      using client = new StatsClient(family.server);
      assert.deepEqual(await getStats(client, { name: "a" }), { name: "a", value: 5n });
      assert.deepEqual(await getStats(client, { name: "a", reset: true }), { name: "a", value: 5n });
      assert.deepEqual(await getStats(client, { name: "a" }), { name: "a", value: 0n });
    });

    it(`says alike that ${kind} has no such counter`, io, async (t) => {
      const family = await startFamilyServer(t, kind);
      using client = new StatsClient(family.server);
      await assert.rejects(getStats(client, { name: "user>>>x\ny" }), {
        code: "not_found",
        message: "user>>>x\ny not found.",
      });
    });
  }
});

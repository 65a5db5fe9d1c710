import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SysStats } from "../../src/rpc/sys-stats.js";
import { paths, startApi } from "../helpers/api-server.js";
import { collectGarbage } from "../helpers/gc.js";
import { sendHttp1, versions } from "../helpers/raw-http.js";
import { until } from "../helpers/timing.js";

describe("SysStats", { timeout: 10_000 }, () => {
  it("answers plausible figures of this process", () => {
    const sysStats = new SysStats();
    const figures = sysStats.read();
    const { heapUsed, rss } = process.memoryUsage();
    assert.ok(Number(figures.Alloc) > heapUsed / 2 && Number(figures.Alloc) < heapUsed * 2 + 50_000_000);
    assert.ok(Number(figures.Sys) > rss / 2 && Number(figures.Sys) < rss * 2);
    assert.equal(typeof figures.NumGoroutine, "number");
    sysStats[Symbol.dispose]();
  });

  it("answers zero for what V8 does not count", () => {
    const sysStats = new SysStats();
    const { Mallocs, Frees, LiveObjects } = sysStats.read();
    assert.deepEqual({ Mallocs, Frees, LiveObjects }, { Mallocs: 0n, Frees: 0n, LiveObjects: 0n });
    sysStats[Symbol.dispose]();
  });

  for (const { elapsedMs, uptime } of [
    { elapsedMs: 0, uptime: 0 },
    { elapsedMs: 999, uptime: 0 },
    { elapsedMs: 1_000, uptime: 1 },
    { elapsedMs: 61_999, uptime: 61 },
    { elapsedMs: 86_400_000 * 365, uptime: 31_536_000 },
  ]) {
    it(`is up for ${uptime} s after ${elapsedMs} ms`, (t) => {
      const now = t.mock.method(performance, "now", () => 5_000);
      const sysStats = new SysStats();
      now.mock.mockImplementation(() => 5_000 + elapsedMs);
      assert.equal(sysStats.read().Uptime, uptime);
      sysStats[Symbol.dispose]();
    });
  }

  it("counts collections and their nanoseconds", async () => {
    const sysStats = new SysStats();
    const before = sysStats.read();
    collectGarbage();
    await until(() => sysStats.read().NumGC > before.NumGC);
    const after = sysStats.read();
    assert.ok(after.PauseTotalNs > before.PauseTotalNs + 1_000n);
    assert.ok(after.TotalAlloc >= before.TotalAlloc);
    sysStats[Symbol.dispose]();
  });
});

describe("GetSysStats in JSON", { timeout: 10_000 }, () => {
  for (const { version, send } of versions) {
    it(`has Go's names, 64 bits as strings, and no zeros: ${version}`, async (t) => {
      const api = await startApi(t);
      const headers = { "content-type": "application/json" };
      const { status, body } = await send(api.port, { path: paths.getSysStats, headers, body: "{}" });
      assert.equal(status, 200);
      const figures = JSON.parse(body.toString()) as Record<string, unknown>;
      assert.match(String(figures["Sys"]), /^[1-9]\d{6,}$/);
      assert.match(String(figures["Alloc"]), /^[1-9]\d{5,}$/);
      assert.equal(typeof figures["Sys"], "string");
      assert.equal(typeof figures["TotalAlloc"], "string");
      const known = ["NumGoroutine", "NumGC", "Alloc", "TotalAlloc", "Sys", "PauseTotalNs", "Uptime"];
      assert.deepEqual(
        Object.keys(figures).filter((name) => !known.includes(name)),
        [],
      );
    });
  }

  it("is to be had with GET", async (t) => {
    const api = await startApi(t);
    const query = `?encoding=json&message=${encodeURIComponent("{}")}`;
    for (const { send } of versions) {
      const answer = await send(api.port, { method: "GET", path: `${paths.getSysStats}${query}` });
      assert.equal(answer.status, 200);
      assert.match(answer.body.toString(), /"Sys":"\d+"/);
    }
  });

  it("is refused to GET in a way of asking that does not exist", async (t) => {
    const api = await startApi(t);
    const answer = await sendHttp1(api.port, {
      method: "GET",
      path: `${paths.getSysStats}?encoding=xml&message=x`,
    });
    assert.equal(answer.status, 415);
  });
});

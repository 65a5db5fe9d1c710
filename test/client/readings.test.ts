import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import type { ClientError } from "../../src/client/client-error.js";
import { readings } from "../../src/client/readings.js";
import { StatsClient } from "../../src/client/stats-client.js";
import { startFamilyServer } from "../helpers/family-server.js";
import { closeAfter, listen } from "../helpers/sockets.js";
import { failOnUnhandled } from "../helpers/unhandled.js";

const io = { timeout: 10_000 };
const never = new AbortController().signal;

describe("readings", () => {
  failOnUnhandled();

  it("reads all counters again and again, and resets none", io, async (t) => {
    const family = await startFamilyServer(t, "Xray");
    family.counters.set("a", 1n);
    using client = new StatsClient(family.server);
    let count = 0;
    let atMs = 0;
    for await (const reading of readings(client, { intervalMs: 1, signal: never })) {
      assert.deepEqual(reading.stats, [{ name: "a", value: 1n }]);
      assert.ok(reading.atMs > atMs);
      ({ atMs } = reading);
      count += 1;
      if (count === 3) break;
    }
    assert.equal(family.calls.length, 3);
  });

  it("ends with the first failure", io, async (t) => {
    const family = await startFamilyServer(t, "Xray");
    family.failFrom = 3;
    using client = new StatsClient(family.server);
    let count = 0;
    await assert.rejects(
      async () => {
        for await (const reading of readings(client, { intervalMs: 1, signal: never })) {
          count += reading.stats.length + 1;
        }
      },
      { code: "refused" },
    );
    assert.equal(count, 2);
  });

  it("goes on after a failure that it is to tell, unless it is the first call's", io, async (t) => {
    const family = await startFamilyServer(t, "Xray");
    family.failFrom = 2;
    using client = new StatsClient(family.server);
    const told: ClientError[] = [];
    const onFailure = (error: ClientError): void => {
      told.push(error);
      if (told.length === 2) family.failFrom = Number.POSITIVE_INFINITY;
    };
    const all = readings(client, { intervalMs: 1, signal: never, onFailure });
    await all.next();
    const { done } = await all.next();
    assert.equal(done, false);
    assert.deepEqual(
      told.map(({ code }) => code),
      ["refused", "refused"],
    );
    await all.return();

    family.failFrom = 1;
    const failing = readings(client, { intervalMs: 1, signal: never, onFailure });
    await assert.rejects(failing.next(), { code: "refused" });
    assert.equal(told.length, 2);
  });

  it("ends while it waits for the next call", io, async (t) => {
    const family = await startFamilyServer(t, "Xray");
    using client = new StatsClient(family.server);
    const stopping = new AbortController();
    const all = readings(client, { intervalMs: 1_000_000, signal: stopping.signal });
    await all.next();
    const next = all.next();
    stopping.abort();
    assert.deepEqual(await next, { done: true, value: undefined });
  });

  it("ends while it waits for an answer", io, async (t) => {
    const server = createServer();
    const { port } = await listen(t, server);
    const stopping = new AbortController();
    using client = new StatsClient({ host: "127.0.0.1", port }, { timeoutMs: 90_000 });
    const next = readings(client, { intervalMs: 1, signal: stopping.signal }).next();
    const [socket] = (await once(server, "connection")) as [Socket];
    closeAfter(t, socket);
    stopping.abort();
    assert.deepEqual(await next, { done: true, value: undefined });
  });

  it("ends when it is told to by whoever is told of a failure", io, async (t) => {
    const family = await startFamilyServer(t, "Xray");
    family.failFrom = 2;
    using client = new StatsClient(family.server);
    const stopping = new AbortController();
    const onFailure = (): void => {
      stopping.abort();
    };
    const all = readings(client, { intervalMs: 1, signal: stopping.signal, onFailure });
    await all.next();
    assert.deepEqual(await all.next(), { done: true, value: undefined });
  });
});

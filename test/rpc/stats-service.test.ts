import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  Code,
  ConnectError,
  createContextValues,
  createHandlerContext,
  type HandlerContext,
} from "@connectrpc/connect";
import { StatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { deliveryKey } from "../../src/rpc/delivery.js";
import { createStatsService } from "../../src/rpc/stats-service.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import { count, userUplink, valuesOf } from "../helpers/api-server.js";

const alice = userUplink("alice");
const bob = userUplink("bob");
const noQuery = { pattern: "", patterns: [], regexp: false, reset: false };

const figures = {
  NumGoroutine: 1,
  NumGC: 2,
  Alloc: 3n,
  TotalAlloc: 4n,
  Sys: 5n,
  Mallocs: 0n,
  Frees: 0n,
  LiveObjects: 0n,
  PauseTotalNs: 6n,
  Uptime: 7,
};

/** A service over a store of its own, and a context whose delivery the test decides about. */
function createTestService(signal?: AbortSignal) {
  const store = new CounterStore();
  const service = createStatsService({ store, sysStats: { read: () => figures } });
  const undos: (() => void)[] = [];
  const context: HandlerContext = createHandlerContext({
    service: StatsService,
    method: StatsService.method.getStats,
    protocolName: "test",
    requestMethod: "POST",
    url: "http://localhost/",
    contextValues: createContextValues().set(deliveryKey, { onLost: (undo) => undos.push(undo) }),
    ...(signal === undefined ? {} : { requestSignal: signal }),
  });
  return { store, service, context, undos };
}

describe("createStatsService()", () => {
  it("asks for nothing back when nothing was reset", async () => {
    const { store, service, context, undos } = createTestService();
    count(store, alice, 5);
    service.getStats({ name: alice, reset: false }, context);
    await service.queryStats(noQuery, context);
    assert.equal(undos.length, 0);
  });

  it("asks for nothing back when a reset found nothing", () => {
    const { store, service, context, undos } = createTestService();
    count(store, alice, 0);
    assert.deepEqual(service.getStats({ name: alice, reset: true }, context), {
      stat: { name: alice, value: 0n },
    });
    assert.equal(undos.length, 0);
  });

  it("gives back exactly what a lost answer of GetStats took", () => {
    const { store, service, context, undos } = createTestService();
    const counter = count(store, alice, 5);
    assert.deepEqual(service.getStats({ name: alice, reset: true }, context), {
      stat: { name: alice, value: 5n },
    });
    counter.add(2);
    for (const undo of undos) undo();
    assert.equal(counter.value, 7n);
    assert.equal(counter.total, 7n);
  });

  it("gives back exactly what a lost answer of QueryStats took, counter by counter", async () => {
    const { store, service, context, undos } = createTestService();
    count(store, alice, 5);
    count(store, bob, 2n ** 60n);
    await service.queryStats({ ...noQuery, reset: true }, context);
    count(store, alice, 1);
    assert.deepEqual(valuesOf(store), { [alice]: 1n, [bob]: 0n });
    for (const undo of undos) undo();
    assert.deepEqual(valuesOf(store), { [alice]: 6n, [bob]: 2n ** 60n });
  });

  it("gives back to the next reader what two lost answers took, in any order", () => {
    const { store, service, context, undos } = createTestService();
    const counter = count(store, alice, 5);
    service.getStats({ name: alice, reset: true }, context);
    counter.add(3);
    service.getStats({ name: alice, reset: true }, context);
    for (const undo of undos.reverse()) undo();
    assert.equal(counter.reset(), 8n);
  });

  it("does not touch a counter for a caller who is gone", async () => {
    const { store, service, context } = createTestService(
      AbortSignal.abort(new ConnectError("gone", Code.Canceled)),
    );
    const counter = count(store, alice, 5);
    assert.throws(() => service.getStats({ name: alice, reset: true }, context), /gone/);
    await assert.rejects(service.queryStats({ ...noQuery, reset: true }, context), /gone/);
    assert.equal(counter.value, 5n);
  });

  it("does not touch a counter for a caller who goes before the expression is compiled", async () => {
    const leaving = new AbortController();
    const { store, service, context } = createTestService(leaving.signal);
    const counter = count(store, alice, 5);
    const answer = service.queryStats({ ...noQuery, pattern: "ali.e", regexp: true, reset: true }, context);
    leaving.abort(new ConnectError("gone", Code.Canceled));
    await assert.rejects(answer, /gone/);
    assert.equal(counter.value, 5n);
  });

  it("does not keep a caller's request from being used again", async () => {
    const { store, service, context } = createTestService();
    count(store, alice, 5);
    const request = Object.freeze({ ...noQuery, pattern: "alice", patterns: Object.freeze(["bob"]) });
    assert.deepEqual(await service.queryStats(request, context), await service.queryStats(request, context));
  });

  it("lists in the order in which the counters came to be", async () => {
    const { store, service, context } = createTestService();
    const names = ["c", "a", "b"].map(userUplink);
    for (const name of names) count(store, name, 1);
    assert.deepEqual(
      (await service.queryStats(noQuery, context)).stat.map(({ name }) => name),
      names,
    );
  });

  it("answers GetSysStats with its source's figures", () => {
    const { service } = createTestService();
    assert.deepEqual(service.getSysStats(), figures);
  });

  it("answers 10,000 counters under 500 patterns in one pass over them", async (t) => {
    const { store, service, context } = createTestService();
    for (let index = 0; index < 10_000; index++) count(store, userUplink(`user${index}`), 1);
    const patterns = Array.from({ length: 500 }, (_, index) => `>>>user${index}>>>`);
    const passes = t.mock.method(store, "query");
    const { stat } = await service.queryStats({ ...noQuery, patterns, reset: true }, context);
    assert.equal(stat.length, 500);
    assert.equal(passes.mock.callCount(), 1);
  });
});

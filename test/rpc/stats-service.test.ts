import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createContextValues,
  createHandlerContext,
  type HandlerContext,
} from "@connectrpc/connect";
import { QueryStatsResponseSchema, StatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { answerQueueKey } from "../../src/rpc/answer-queue.js";
import type { ApiLimits } from "../../src/rpc/api-limits.js";
import { callerKey, connectionKey } from "../../src/rpc/caller.js";
import { deliveryKey } from "../../src/rpc/delivery.js";
import { createStatsService } from "../../src/rpc/stats-service.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import { count, userUplink, valuesOf } from "../helpers/api-server.js";
import { turns } from "../helpers/timing.js";

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
function createTestService(
  signal?: AbortSignal,
  requestHeader: Readonly<Record<string, string>> = {},
  limits: ApiLimits = {},
) {
  const store = new CounterStore();
  const service = createStatsService({ store, sysStats: { read: () => figures }, limits });
  const undos: (() => void)[] = [];
  const context: HandlerContext = createHandlerContext({
    service: StatsService,
    method: StatsService.method.queryStats,
    requestHeader,
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

  it("finds each of 500 patterns among 10,000 counters", async () => {
    const { store, service, context } = createTestService();
    for (let index = 0; index < 10_000; index++) count(store, userUplink(`user${index}`), 1);
    const patterns = Array.from({ length: 500 }, (_, index) => `>>>user${index}>>>`);
    const { stat } = await service.queryStats({ ...noQuery, patterns, reset: true }, context);
    assert.equal(stat.length, 500);
  });
});

describe("createStatsService() with many counters", () => {
  const userCount = 20_000;

  /** As above, with a caller who reads protobuf or JSON. */
  function createMany(contentType: string, signal?: AbortSignal, limits?: ApiLimits) {
    const service = createTestService(signal, { "content-type": contentType }, limits);
    for (let user = 0; user < userCount; user++) count(service.store, userUplink(`u${user}`), user);
    return service;
  }

  /** What a client reads of an answer. */
  function readBack(answer: object) {
    const message = create(QueryStatsResponseSchema, answer);
    return fromBinary(QueryStatsResponseSchema, toBinary(QueryStatsResponseSchema, message)).stat;
  }

  for (const contentType of ["application/json", "application/connect+json", "application/grpc+proto"]) {
    it(`answers each of them once, in order, to ${contentType}`, async () => {
      const { service, context } = createMany(contentType);
      const stat = readBack(await service.queryStats(noQuery, context));
      assert.deepEqual(
        stat.map(({ name, value }) => [name, value]),
        Array.from({ length: userCount }, (_, user) => [userUplink(`u${user}`), BigInt(user)]),
      );
    });
  }

  it("lets the event loop turn meanwhile, and loses and repeats no byte", async () => {
    const { store, service, context } = createMany("application/grpc");
    const patterns = Array.from({ length: 50 }, (_, index) => `u${index}[0-9]*>>>`);
    let turnCount = 0;
    const over = new AbortController();
    const counter = count(store, userUplink("u11"), 0);
    const turning = (async () => {
      for (; !over.signal.aborted; turnCount++) {
        await turns(1);
        counter.add(1);
      }
    })();
    const taken: bigint[] = [];
    for (let round = 0; round < 3; round++) {
      const query = { ...noQuery, patterns, regexp: true, reset: true };
      const stat = readBack(await service.queryStats(query, context));
      taken.push(stat.find(({ name }) => name === userUplink("u11"))?.value ?? 0n);
    }
    over.abort();
    await turning;
    assert.ok(turnCount > 0);
    assert.equal(taken.reduce((sum, value) => sum + value, 0n) + counter.value, counter.total);
  });

  it("gives back what a lost answer took, however many slices it took", async () => {
    const { store, service, context, undos } = createMany("application/grpc");
    const before = valuesOf(store);
    await service.queryStats({ ...noQuery, reset: true }, context);
    assert.ok(Object.values(valuesOf(store)).every((value) => value === 0n));
    for (const undo of undos) undo();
    assert.deepEqual(valuesOf(store), before);
  });

  it("stops to look for a caller who is gone meanwhile, and resets nothing", async () => {
    const caller = new AbortController();
    const { store, service, context } = createMany("application/grpc", caller.signal);
    const before = valuesOf(store);
    const patterns = Array.from({ length: 300 }, (_, index) => `nobody${index}`);
    const asked = service.queryStats({ ...noQuery, patterns, regexp: true, reset: true }, context);
    caller.abort(new ConnectError("gone", Code.Canceled));
    await assert.rejects(asked, /gone/);
    assert.deepEqual(valuesOf(store), before);
  });

  /** A clock that goes on by as much each time that somebody looks at it. */
  function mockClock(t: TestContext) {
    const clock = { stepMs: 10 };
    let nowMs = 0;
    t.mock.method(performance, "now", () => (nowMs += clock.stepMs));
    return clock;
  }

  function createFew(limits: ApiLimits) {
    const service = createTestService(undefined, {}, limits);
    for (let user = 0; user < 30; user++) count(service.store, userUplink(`u${user}`), user);
    return service;
  }

  /** A query that is a long one while the clock goes on, of a caller or of whoever has that connection. */
  async function askLong(
    { service, context }: ReturnType<typeof createTestService>,
    { name, connection = {} }: { name?: string; connection?: object },
  ) {
    const values = createContextValues()
      .set(connectionKey, connection)
      .set(callerKey, { name, mayReset: true });
    const patterns = Array.from({ length: 15 }, (_, index) => `nobody${index}[0-9]*>>>`);
    return service.queryStats({ ...noQuery, patterns, regexp: true, reset: true }, { ...context, values });
  }

  const tooMany = "ConnectError: [resource_exhausted] too many long queries wait already; try again";

  it("answers hundreds of short queries while as many long ones as may be are there", async (t) => {
    const clock = mockClock(t);
    const asked = createFew({ maxWaitingQueries: 1, maxQueryMs: 1e9 });
    const long = askLong(asked, { name: "long" });
    await assert.rejects(askLong(asked, { name: "other" }), /too many long queries/);
    // From here on there is nothing that would take its time.
    clock.stepMs = 0;
    const { service, context } = asked;
    const short = Array.from({ length: 300 }, async () => service.queryStats(noQuery, context));
    assert.equal((await Promise.all(short)).length, 300);
    assert.equal((await long).stat.length, 0);
  });

  it("refuses the long queries of a caller who has most of them, and nobody else's", async (t) => {
    mockClock(t);
    const asked = createFew({ maxWaitingQueries: 4, maxQueryMs: 1e9 });
    const before = valuesOf(asked.store);
    const one = [1, 2, 3, 4].map(async () => askLong(asked, { name: "one" }));
    const other = askLong(asked, { name: "other" });
    const outcomes = await Promise.allSettled([...one, other]);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === "rejected" ? String(outcome.reason) : "answered")),
      ["answered", "answered", "answered", tooMany, "answered"],
    );
    assert.deepEqual(valuesOf(asked.store), before);
    assert.equal((await askLong(asked, { name: "one" })).stat.length, 0);
  });

  it("takes each connection for a caller where nobody has a name", async (t) => {
    mockClock(t);
    const asked = createFew({ maxWaitingQueries: 2, maxQueryMs: 1e9 });
    const connection = {};
    const queries = [{ connection }, { connection }, {}].map(async (who) => askLong(asked, who));
    const outcomes = await Promise.allSettled(queries);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === "rejected" ? String(outcome.reason) : "answered")),
      ["answered", tooMany, "answered"],
    );
  });

  it("resets nothing where there is no room for a large answer, and answers what is small", async () => {
    const { store, service, context } = createMany("application/json");
    const before = valuesOf(store);
    context.values.set(answerQueueKey, { hasRoomFor: () => false });
    await assert.rejects(service.queryStats({ ...noQuery, reset: true }, context), /bytes of answers wait/);
    assert.deepEqual(valuesOf(store), before);
    const { stat } = await service.queryStats({ ...noQuery, pattern: "u7>", reset: true }, context);
    assert.deepEqual(
      stat.map(({ name, value }) => [name, value]),
      [[userUplink("u7"), 7n]],
    );
  });
});

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import {
  Code,
  ConnectError,
  createContextValues,
  type StreamResponse,
  type UnaryRequest,
} from "@connectrpc/connect";
import { createCallHandler } from "../../src/rpc/call-handler.js";
import { CallTally, callTallyKey, tallyCalls } from "../../src/rpc/call-tally.js";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { createRefusalTally, type RefusalTally } from "../../src/rpc/refusal-tally.js";
import { registerStatsService } from "../../src/rpc/routes.js";
import { createStatsService } from "../../src/rpc/stats-service.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import { paths } from "../helpers/api-server.js";
import { envelope, getStatsRequest } from "../helpers/grpc.js";
import { openSession, openStream, sendHttp1, sendHttp2, versions } from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import { closed, event, until } from "../helpers/timing.js";

const json = { "content-type": "application/json" };
const grpc = { "content-type": "application/grpc", te: "trailers" };
const grpcWeb = { "content-type": "application/grpc-web" };

interface Tallied {
  readonly port: number;
  readonly tallies: readonly CallTally[];
  readonly refusals: RefusalTally;
  /** What the tally of one method of V2Ray's service says. */
  countsOf(method: string): Record<string, number>;
}

async function startTallied(t: TestContext): Promise<Tallied> {
  const tallies: CallTally[] = [];
  const refusals = createRefusalTally();
  const sysStats = {
    read: () => {
      throw new Error("broken");
    },
  };
  const { onRequest } = createCallHandler({
    routes: (router) => {
      registerStatsService(router, createStatsService({ store: new CounterStore(), sysStats }));
    },
    onMethod: (tally) => tallies.push(tally),
    refusals,
  });
  const server = new OnePortServer({ onRequest });
  closeAfter(t, server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  const countsOf = (method: string): Record<string, number> => {
    const tally = tallies.find((one) => one.service.startsWith("v2ray.") && one.method === method);
    return Object.fromEntries(tally?.list() ?? []);
  };
  return { port, tallies, refusals, countsOf };
}

describe("a tally of calls", { timeout: 20_000 }, () => {
  it("is there for each method that is served, under its service's name, with no calls that went well", async (t) => {
    const { tallies } = await startTallied(t);
    assert.ok(tallies.length >= 9);
    assert.deepEqual(
      tallies.slice(0, 3).map(({ service, method }) => `${service}/${method}`),
      Object.values(paths).map((path) => path.slice(1)),
    );
    for (const tally of tallies) assert.deepEqual([...tally.list()], [["ok", 0]]);
  });

  it("knows with which code a call ended, in every protocol", async (t) => {
    const api = await startTallied(t);
    const missing = envelope(getStatsRequest({ name: "nobody" }));
    for (const { send } of versions) {
      await send(api.port, { path: paths.queryStats, headers: json, body: "{}" });
      await send(api.port, { path: paths.getStats, headers: json, body: '{"name":"nobody"}' });
      await send(api.port, { path: paths.getStats, headers: grpcWeb, body: missing });
      const bad = '{"patterns":["("],"regexp":true}';
      await send(api.port, { path: paths.queryStats, headers: json, body: bad });
    }
    await sendHttp2(api.port, { path: paths.getStats, headers: grpc, body: missing });
    assert.deepEqual(api.countsOf("QueryStats"), { ok: 2, invalid_argument: 2 });
    assert.deepEqual(api.countsOf("GetStats"), { ok: 0, not_found: 5 });
    assert.equal(api.refusals.unreadable_call, 0);
  });

  it("calls internal what nobody foresaw", async (t) => {
    const api = await startTallied(t);
    await sendHttp1(api.port, { path: paths.getSysStats, headers: json, body: "{}" });
    assert.deepEqual(api.countsOf("GetSysStats"), { ok: 0, internal: 1 });
  });

  it("leaves out what never became a call, which is refused", async (t) => {
    const api = await startTallied(t);
    const large = JSON.stringify({ name: "x".repeat(100_000) });
    for (const { send } of versions) {
      await send(api.port, { path: paths.getStats, headers: json, body: large });
      await send(api.port, { path: paths.getStats, headers: json, body: "{" });
      await send(api.port, { path: paths.getStats, headers: { "content-type": "text/plain" }, body: "{}" });
      await send(api.port, { path: paths.getStats, headers: grpcWeb, body: envelope(Buffer.from([0xff])) });
    }
    await until(() => api.refusals.unreadable_call === 6 && api.refusals.large_request === 2);
    assert.deepEqual(api.countsOf("GetStats"), { ok: 0 });
  });

  it("leaves out a call that is cut off before it is whole", async (t) => {
    const api = await startTallied(t);
    const session = openSession(t, api.port);
    await event(session, "connect");
    const stream = openStream(session, { path: paths.getStats, headers: grpc });
    stream.write(envelope(getStatsRequest({ name: "nobody" })).subarray(0, 7));
    // The server has the stream when it has answered a ping that follows it.
    await new Promise((resolve) => session.ping(resolve));
    stream.destroy();
    await closed(stream);
    await until(() => api.refusals.unreadable_call === 1);
    assert.deepEqual(api.countsOf("GetStats"), { ok: 0 });
  });

  it("knows what is not served at all", async (t) => {
    const api = await startTallied(t);
    await sendHttp1(api.port, { path: "/", method: "GET" });
    await sendHttp1(api.port, { path: `${paths.getStats}Never`, headers: json, body: "{}" });
    await sendHttp1(api.port, { path: "/some.Service/Method", headers: json, body: "{}" });
    assert.deepEqual(api.refusals, {
      ...createRefusalTally(),
      ...{ unknown_path: 1, unknown_method: 1, unknown_service: 1 },
    });
  });
});

describe("a tally of streams", () => {
  /** Calls by way of the interceptor, to be answered with these messages. */
  async function callStream(messages: AsyncIterable<number>) {
    const tally = new CallTally("a.Service", "Watch");
    const contextValues = createContextValues().set(callTallyKey, tally);
    // Of a request and its response the interceptor needs no more.
    const request = { contextValues } as unknown as UnaryRequest;
    const next = async () =>
      Promise.resolve({ stream: true, message: messages } as unknown as StreamResponse);
    const response = await tallyCalls(next)(request);
    assert.ok(response.stream);
    return { counts: () => Object.fromEntries(tally.list()), messages: response.message };
  }

  async function* count(error?: Error): AsyncGenerator<number> {
    yield* [1, 2];
    await Promise.resolve();
    if (error !== undefined) throw error;
  }

  it("counts one when its last message was taken", async () => {
    const { counts, messages } = await callStream(count());
    const taken = [];
    for await (const message of messages) {
      assert.deepEqual(counts(), { ok: 0 });
      taken.push(message);
    }
    assert.deepEqual(taken, [1, 2]);
    assert.deepEqual(counts(), { ok: 1 });
  });

  it("counts one that fails under its code, and lets it fail", async () => {
    const error = new ConnectError("stopping", Code.Unavailable);
    const { counts, messages } = await callStream(count(error));
    await assert.rejects(async () => {
      for await (const message of messages) assert.ok(message);
    }, error);
    assert.deepEqual(counts(), { ok: 0, unavailable: 1 });
  });

  it("counts one that its caller gives up as canceled", async () => {
    const { counts, messages } = await callStream(count());
    for await (const message of messages) {
      assert.ok(message);
      break;
    }
    assert.deepEqual(counts(), { ok: 0, canceled: 1 });
  });
});

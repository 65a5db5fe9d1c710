import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { Http1Server, type Http1ServerOptions } from "../../src/rpc/http1-server.js";
import type { NodeResponse } from "../../src/rpc/node-http.js";
import { createRefusalTally } from "../../src/rpc/refusal-tally.js";
import { http1Text, openRaw } from "../helpers/raw-http.js";
import { listen } from "../helpers/sockets.js";
import { until } from "../helpers/timing.js";

/** A server on connections that it is handed, whose answers the test gives. */
async function start(t: TestContext, options: Partial<Http1ServerOptions> = {}) {
  const refusals = createRefusalTally();
  const responses: NodeResponse[] = [];
  const server = new Http1Server({
    onRequest: (_, response) => responses.push(response),
    ...{ maxHeadBytes: 1_000, requestTimeoutMs: 10_000, idleTimeoutMs: 10_000, refusals },
    slowReaders: { timeoutMs: 10_000, onSlow: () => (refusals.slow_reader += 1) },
    ...options,
  });
  t.after(() => {
    server.stop();
  });
  const listener = createServer((socket) => {
    server.serve(socket);
  });
  const { port } = await listen(t, listener);
  return { server, port, refusals, responses };
}

const request = http1Text({ path: "/" });

describe("Http1Server", { timeout: 20_000 }, () => {
  it("serves one request after the other on a connection", async (t) => {
    const { port, responses } = await start(t);
    const raw = await openRaw(t, port, request);
    for (const count of [1, 2, 3]) {
      await until(() => responses.length === count);
      responses.at(-1)?.end(`answer ${count}`);
      await raw.received(`answer ${count}`);
      raw.socket.write(request);
    }
  });

  it("ends connections between two requests at its stop, and the others behind their answer", async (t) => {
    const { server, port, responses } = await start(t);
    const idle = await openRaw(t, port, request);
    await until(() => responses.length === 1);
    responses[0]?.end("one");
    await idle.received("one");
    const silent = await openRaw(t, port);
    const busy = await openRaw(t, port, request);
    await until(() => responses.length === 2);
    server.stop();
    await Promise.all([idle.closed(), silent.closed()]);
    assert.equal(busy.socket.closed, false);
    responses[1]?.end("two");
    assert.match(await busy.closed(), /two$/);
  });

  for (const isOneGiven of [true, false]) {
    const when = isOneGiven ? "before" : "after";
    it(`gives all answers at its stop that are due on a connection, the first of them ${when} it`, async (t) => {
      const { server, port, responses } = await start(t);
      const raw = await openRaw(t, port, request.repeat(3));
      await until(() => responses.length === 3);
      const giveOne = async (): Promise<void> => {
        responses[0]?.end("one");
        await raw.received("one");
      };
      if (isOneGiven) await giveOne();
      server.stop();
      if (!isOneGiven) await giveOne();
      responses[2]?.end("three");
      responses[1]?.end("two");
      assert.match(await raw.closed(), /one.*two.*three$/s);
    });
  }

  it("counts a head that is too large, of which the client is told", async (t) => {
    const { port, refusals } = await start(t);
    const raw = await openRaw(t, port, http1Text({ path: "/", headers: { "x-long": "x".repeat(1_000) } }));
    assert.match(await raw.closed(), /^HTTP\/1\.1 431 /);
    assert.equal(refusals.large_headers, 1);
  });

  it("counts a request that does not come whole in time, of which the client is told", async (t) => {
    const { port, refusals } = await start(t, { requestTimeoutMs: 50 });
    const raw = await openRaw(t, port, request.slice(0, -2));
    assert.match(await raw.closed(), /^HTTP\/1\.1 408 /);
    assert.equal(refusals.slow_request, 1);
  });

  it("cuts off who reads nothing of an answer", async (t) => {
    const { port, refusals, responses } = await start(t, {
      slowReaders: { timeoutMs: 100, onSlow: () => (refusals.slow_reader += 1) },
    });
    const raw = await openRaw(t, port, request);
    raw.socket.pause();
    await until(() => responses.length === 1);
    responses[0]?.end(Buffer.alloc(16 * 2 ** 20));
    await until(() => refusals.slow_reader === 1);
    raw.socket.resume();
    await raw.closed();
  });

  it("counts nothing where a client goes away", async (t) => {
    const { port, refusals, responses } = await start(t);
    const raw = await openRaw(t, port, request);
    await until(() => responses.length === 1);
    raw.socket.resetAndDestroy();
    const [response] = responses;
    assert.ok(response);
    await once(response, "close");
    assert.deepEqual(
      Object.values(refusals).filter((count) => count > 0),
      [],
    );
  });
});

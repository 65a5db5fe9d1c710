import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { ApiServerOptions } from "../../src/rpc/api-server.js";
import { count, paths, startApi, userUplink, valuesOf } from "../helpers/api-server.js";
import { scrape } from "../helpers/metrics.js";
import { http1Text, openSession, openStream, readAnswer, sendHttp1, sendHttp2 } from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import { closed } from "../helpers/timing.js";

const headers = { "content-type": "application/proto" };
/** Calls in binary are served on the shorter way, unless there is a query. */
const ways = [
  { way: "on the shorter way", query: "" },
  { way: "by the router", query: "?by=router" },
];

/** Two answers of these are more than a socket holds, in the kernel and here. */
const userCount = 6_000;

async function startLarge(t: TestContext, options: Partial<ApiServerOptions>) {
  const api = await startApi(t, options);
  for (let user = 0; user < userCount; user++) {
    api.store
      .counter({ scope: "user", tag: `${"a-user-with-a-long-name-".repeat(25)}${user}`, direction: "uplink" })
      .add(1);
  }
  const refusals = async (reason: string) =>
    Number((await scrape(api.port))[`v2ray_api_refused_requests_total{reason="${reason}"}`]);
  return { api, refusals };
}

/** A connection of HTTP/1.1 whose client asks for everything, twice, and reads none of it. */
async function openStill(t: TestContext, port: number, query: string): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  closeAfter(t, socket);
  socket.pause();
  await once(socket, "connect");
  const body = "";
  socket.write(http1Text({ path: `${paths.queryStats}${query}`, headers, body }).repeat(2));
  return socket;
}

for (const { way, query } of ways) {
  describe(`an answer that nobody reads, ${way}`, { timeout: 60_000 }, () => {
    it("is cut off over HTTP/1.1", async (t) => {
      const { api, refusals } = await startLarge(t, { answerTimeoutMs: 200 });
      const socket = await openStill(t, api.port, query);
      while ((await refusals("slow_reader")) === 0);
      socket.resume();
      await closed(socket);
    });

    it("is cut off over HTTP/2, what it reset is given back, and its connection goes on", async (t) => {
      const { api, refusals } = await startLarge(t, { answerTimeoutMs: 200 });
      count(api.store, userUplink("alice"), 5);
      const session = openSession(t, api.port, { initialWindowSize: 1_000 });
      const stream = openStream(session, { path: `${paths.queryStats}${query}`, headers });
      // { reset: true }
      stream.end(Buffer.from([0x10, 0x01]));
      stream.on("error", () => undefined);
      await once(stream, "response");
      while ((await refusals("slow_reader")) === 0);
      stream.resume();
      await closed(stream);
      assert.notEqual(stream.rstCode, 0);
      assert.equal(valuesOf(api.store)[userUplink("alice")], 5n);
      const other = openStream(session, { path: `${paths.getSysStats}${query}`, headers });
      other.end();
      assert.equal((await readAnswer(other)).status, 200);
    });

    it("is cut off over HTTP/2 where it is small, too", async (t) => {
      const { api, refusals } = await startLarge(t, { answerTimeoutMs: 200 });
      const session = openSession(t, api.port, { initialWindowSize: 0 });
      const stream = openStream(session, { path: `${paths.getSysStats}${query}`, headers });
      stream.on("error", () => undefined);
      stream.end();
      while ((await refusals("slow_reader")) === 0);
      stream.resume();
      await closed(stream);
    });

    it("is not cut off before it had its time: another large one is refused, which keeps nothing reset", async (t) => {
      const { api, refusals } = await startLarge(t, { maxQueuedAnswerBytes: 1_000_000 });
      await openStill(t, api.port, query);
      const path = `${paths.queryStats}${query}`;
      while ((await sendHttp1(api.port, { path, headers })).status === 200);
      count(api.store, userUplink("alice"), 5);
      for (const send of [sendHttp1, sendHttp2]) {
        // { reset: true }
        const body = Buffer.from([0x10, 0x01]);
        const answer = await send(api.port, { path, headers, body });
        assert.equal(answer.status, 429);
        // { pattern: "alice" }
        const short = await send(api.port, { path, headers, body: Buffer.from("\x0a\x05alice") });
        assert.equal(short.status, 200);
        assert.ok(short.body.includes("alice"));
      }
      assert.ok((await refusals("queued_answers")) >= 2);
      assert.equal(valuesOf(api.store)[userUplink("alice")], 5n);
    });

    it("makes room for others after fifteen seconds, and what it reset is given back", async (t) => {
      const { api, refusals } = await startLarge(t, { maxQueuedAnswerBytes: 5_000_000 });
      let passedMs = 0;
      const clock = performance.now.bind(performance);
      t.mock.method(performance, "now", () => clock() + passedMs);
      count(api.store, userUplink("alice"), 5);
      const session = openSession(t, api.port, { initialWindowSize: 1_000 });
      const still = openStream(session, { path: `${paths.queryStats}${query}`, headers });
      // { reset: true }
      still.end(Buffer.from([0x10, 0x01]));
      still.on("error", () => undefined);
      await once(still, "response");
      passedMs = 15_000;
      for (const send of [sendHttp1, sendHttp2]) {
        const answer = await send(api.port, { path: `${paths.queryStats}${query}`, headers });
        assert.equal(answer.status, 200);
        assert.ok(answer.body.length > 3_000_000);
      }
      assert.equal(await refusals("queued_answers"), 1);
      still.resume();
      await closed(still);
      assert.equal(valuesOf(api.store)[userUplink("alice")], 5n);
    });

    it("is waited for as long as it is read, however slowly", async (t) => {
      const { api, refusals } = await startLarge(t, { answerTimeoutMs: 2_000 });
      const session = openSession(t, api.port, { initialWindowSize: 100_000 });
      const stream = openStream(session, { path: `${paths.queryStats}${query}`, headers });
      stream.end();
      const answer = await readAnswer(stream);
      assert.equal(answer.status, 200);
      assert.ok(answer.body.length > 3_000_000);
      assert.equal(await refusals("slow_reader"), 0);
    });
  });
}

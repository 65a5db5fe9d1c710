import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerHttp2Stream } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { AnswerQueue } from "../../src/rpc/answer-queue.js";
import { answerCarrierOf, streamCarrier } from "../../src/rpc/node-http.js";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { writePaced } from "../../src/rpc/write-paced.js";
import { createRandom, randomPieces } from "../helpers/random.js";
import { openSession, openStream, readAnswer, sendHttp1, sendHttp2 } from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import { closed, turns, until } from "../helpers/timing.js";

/** A server that answers with a body: by streams or by requests of both versions. */
async function start(
  t: TestContext,
  body: readonly Uint8Array[],
  { byStream = false, maxBytes = 100_000_000, now = (): number => 0 } = {},
) {
  const queue = new AnswerQueue(maxBytes, { now });
  const cut: string[] = [];
  const streams: ServerHttp2Stream[] = [];
  const pace = { queue, holder: "panel", onNoRoom: () => cut.push("no room") };
  const server = new OnePortServer({
    onRequest: (request, response) => {
      request.resume();
      if ("stream" in request) streams.push(request.stream);
      writePaced(response, body, answerCarrierOf(request, response), pace);
    },
    onStream: (stream) => {
      if (!byStream) return false;
      stream.resume();
      stream.on("error", () => undefined);
      streams.push(stream);
      stream.respond({ ":status": 200 });
      writePaced(stream, body, streamCarrier(stream), pace);
      return true;
    },
  });
  closeAfter(t, server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return { port, queue, cut, streams };
}

const ways = [
  { way: "requests of HTTP/1.1", byStream: false, send: sendHttp1 },
  { way: "requests of HTTP/2", byStream: false, send: sendHttp2 },
  { way: "streams", byStream: true, send: sendHttp2 },
];

describe("writePaced()", { timeout: 30_000 }, () => {
  for (const { way, byStream, send } of ways) {
    it(`writes what there is, whatever its pieces, and lets go of it: ${way}`, async (t) => {
      const random = createRandom(5);
      const bodies = [0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_000].flatMap((length) => {
        const whole = Buffer.from(Uint8Array.from({ length }, (_, index) => index % 251));
        return [[whole], randomPieces(random, whole, 100_000), [Buffer.alloc(0), whole]];
      });
      for (const body of [[], ...bodies]) {
        const { port, queue, cut } = await start(t, body, { byStream });
        const answer = await send(port, { path: "/" });
        assert.deepEqual(answer.body, Buffer.concat(body));
        await until(() => queue.bytes === 0);
        assert.deepEqual(cut, []);
      }
    });
  }

  for (const byStream of [true, false]) {
    const way = byStream ? "streams" : "requests";

    it(`hands over one piece of a large answer at a time, and counts all of it: ${way}`, async (t) => {
      const { port, queue, streams } = await start(t, [Buffer.alloc(1_000_000)], { byStream });
      const stream = openStream(openSession(t, port, { initialWindowSize: 0 }), { path: "/" });
      stream.on("error", () => undefined);
      stream.end();
      await once(stream, "response");
      await turns(20);
      assert.equal(queue.bytes, 1_000_000);
      assert.ok(streams[0] !== undefined && streams[0].writableLength <= 65_536);
    });

    it(`lets go of what its caller does not want any more: ${way}`, async (t) => {
      const { port, queue, cut } = await start(t, [Buffer.alloc(1_000_000)], { byStream });
      const session = openSession(t, port, { initialWindowSize: 0 });
      const stream = openStream(session, { path: "/" });
      stream.on("error", () => undefined);
      stream.end();
      await once(stream, "response");
      session.destroy();
      await until(() => queue.bytes === 0);
      assert.deepEqual(cut, []);
    });
  }

  it("makes room for another one, where somebody has stopped to read", async (t) => {
    let nowMs = 0;
    const options = { byStream: true, maxBytes: 1_500_000, now: () => nowMs };
    const { port, queue, cut } = await start(t, [Buffer.alloc(1_000_000)], options);
    const stream = openStream(openSession(t, port, { initialWindowSize: 0 }), { path: "/" });
    stream.on("error", () => undefined);
    stream.end();
    await once(stream, "response");
    nowMs = 15_000;
    const other = openStream(openSession(t, port), { path: "/" });
    other.end();
    assert.equal((await readAnswer(other)).body.length, 1_000_000);
    stream.resume();
    await closed(stream);
    assert.deepEqual(cut, ["no room"]);
    await until(() => queue.bytes === 0);
  });
});

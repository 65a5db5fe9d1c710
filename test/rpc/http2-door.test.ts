import assert from "node:assert/strict";
import { constants } from "node:http2";
import { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { silentLogger } from "../../src/log/logger.js";
import { defaultApiLimits } from "../../src/rpc/api-limits.js";
import type { ApiServerOptions } from "../../src/rpc/api-server.js";
import { Http2Door } from "../../src/rpc/http2-door.js";
import { createRefusalTally } from "../../src/rpc/refusal-tally.js";
import { paths, type TestApi } from "../helpers/api-server.js";
import { cancelled, preface, requestBlock } from "../helpers/http2-frames.js";
import { codeOf, refusalsOf, refused, startLimited } from "../helpers/limited-api.js";
import { http2Frame, openRaw, openSession, sendHttp1, sendOnSession } from "../helpers/raw-http.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { closeAfter } from "../helpers/sockets.js";
import { fixtureTls, type TlsPort } from "../helpers/tls-port.js";

const io = { timeout: 20_000 };
const request = { path: paths.getSysStats, headers: { "content-type": "application/json" }, body: "{}" };
const call = (id: number) =>
  Buffer.concat([http2Frame(0x1, 0x4, id, requestBlock), http2Frame(0x0, 0x1, id, Buffer.from("{}"))]);

/** Floods in the first bytes, and waits until that has had its consequences. @returns what came back. */
async function flood(t: TestContext, { port }: TestApi, streamCount: number): Promise<string> {
  const raw = await openRaw(t, port, Buffer.concat([preface, cancelled(streamCount), call(9_001)]));
  return raw.closed();
}

async function start(t: TestContext, options: Partial<ApiServerOptions> = {}) {
  const logger = new RecordingLogger();
  return { logger, api: await startLimited(t, { logger, maxHttp2Resets: 200, ...options }) };
}

/** A socket that is not connected, and of which that was read behind the preface. */
function socketWith(t: TestContext, frames: Uint8Array): Socket {
  const socket = new Socket();
  socket.on("error", () => undefined);
  closeAfter(t, socket);
  socket.push(preface);
  socket.push(frames);
  return socket;
}

describe("the door before HTTP/2 sessions", { timeout: 60_000 }, () => {
  it("tells who begins with a flood to be calm, answers nothing, and closes", io, async (t) => {
    const { api } = await start(t);
    const text = await flood(t, api, 21);
    const frames = [
      http2Frame(0x4, 0, 0, Buffer.alloc(0)),
      http2Frame(0x7, 0, 0, Buffer.of(0, 0, 0, 0, 0, 0, 0, 11)),
    ];
    assert.equal(constants.NGHTTP2_ENHANCE_YOUR_CALM, 11);
    assert.deepEqual(Buffer.from(text, "latin1"), Buffer.concat(frames));
    await refused(api, { http2_resets: 1 });
  });

  it("serves who cancels as many as a newcomer may, and what comes with it", io, async (t) => {
    const { api } = await start(t);
    const raw = await openRaw(t, api.port, Buffer.concat([preface, cancelled(20), call(9_001)]));
    await raw.received("NumGoroutine");
    assert.deepEqual(await refusalsOf(api), {});
  });

  it("goes by the limit", io, async (t) => {
    const { api } = await start(t, { maxHttp2Resets: 10 });
    await flood(t, api, 2);
    await refused(api, { http2_resets: 1 });
  });

  it("serves others of the same source after a flood, all of them", io, async (t) => {
    const { api } = await start(t);
    await flood(t, api, 21);
    const answers = await Promise.all(
      Array.from({ length: 12 }, async () => sendOnSession(openSession(t, api.port), request)),
    );
    assert.deepEqual(answers.map(codeOf), Array<string>(12).fill("ok"));
    assert.equal(codeOf(await sendHttp1(api.port, request)), "ok");
    await refused(api, { http2_resets: 1 });
  });

  it("serves a crowd that comes at once", io, async (t) => {
    const { api } = await start(t);
    const answers = await Promise.all(
      Array.from({ length: 60 }, async () => sendOnSession(openSession(t, api.port), request)),
    );
    assert.deepEqual(answers.map(codeOf), Array<string>(60).fill("ok"));
  });

  it("counts a flood once, be there ever so many cancelled requests in it", io, async (t) => {
    const { api } = await start(t);
    for (const streamCount of [21, 500, 2_000]) await flood(t, api, streamCount);
    await refused(api, { http2_resets: 3 });
  });

  it(
    "lets those in one by one who come from where a flood came from, and others as before",
    io,
    async (t) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const refusals = createRefusalTally();
      const door = new Http2Door({ limits: defaultApiLimits, refusals, logger: silentLogger });
      assert.equal(await door.admits(socketWith(t, cancelled(21)), "a"), false);
      assert.equal(refusals.http2_resets, 1);
      const admitted: string[] = [];
      const come = async (source: string): Promise<void> => {
        if (await door.admits(socketWith(t, cancelled(20)), source)) admitted.push(source);
      };
      const coming = [come("a"), come("a"), come("b"), come("b")];
      await nextTurn();
      assert.deepEqual(admitted, ["a", "b", "b"]);
      t.mock.timers.tick(20);
      await Promise.all(coming);
      assert.deepEqual(admitted, ["a", "b", "b", "a"]);
      assert.equal(refusals.http2_resets, 1);
    },
  );

  it("has no session for who is gone when it is their turn", io, async (t) => {
    const door = new Http2Door({
      ...{ limits: defaultApiLimits, refusals: createRefusalTally(), logger: silentLogger },
    });
    const socket = socketWith(t, cancelled(1));
    const admitted = door.admits(socket, "a");
    socket.destroy();
    assert.equal(await admitted, false);
  });

  it("keeps nobody waiting for who is gone, where they come one by one", io, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const door = new Http2Door({
      ...{ limits: defaultApiLimits, refusals: createRefusalTally(), logger: silentLogger },
    });
    await door.admits(socketWith(t, cancelled(21)), "a");
    assert.equal(await door.admits(socketWith(t, cancelled(1)), "a"), true);
    const gone = Array.from({ length: 9 }, () => socketWith(t, cancelled(1)));
    const admitted = [...gone, socketWith(t, cancelled(1))].map(async (socket) => door.admits(socket, "a"));
    for (const socket of gone) socket.destroy();
    t.mock.timers.tick(20);
    assert.deepEqual(await Promise.all(admitted), [...Array<boolean>(9).fill(false), true]);
  });

  for (const { when, wait } of [
    { when: "in the first bytes", wait: false },
    { when: "when there is a session", wait: true },
  ]) {
    it(`cuts a flood under TLS, ${when}, and serves others`, io, async (t) => {
      const { api, logger } = await start(t, { tls: fixtureTls });
      const tls: TlsPort = { tlsPort: api.port, options: { ALPNProtocols: ["h2"] } };
      const raw = await openRaw(t, tls, preface);
      if (wait) await raw.received(String.fromCharCode(0, 0, 0, 4, 1));
      raw.send(Buffer.concat([cancelled(500), call(9_001)]));
      const text = await raw.closed();
      assert.ok(!text.includes("NumGoroutine"));
      assert.equal(
        logger.messages("debug").filter((message) => message === "HTTP/2 connection cut").length,
        1,
      );
      assert.equal(codeOf(await sendOnSession(openSession(t, tls), request)), "ok");
    });
  }

  it("stops while somebody waits for a turn", io, async (t) => {
    const { api } = await start(t);
    await flood(t, api, 500);
    const waiting = await Promise.all(Array.from({ length: 30 }, async () => openRaw(t, api.port, preface)));
    await api.server[Symbol.asyncDispose]();
    for (const raw of waiting) await raw.closed();
  });
});

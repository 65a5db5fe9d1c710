import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { paths } from "../helpers/api-server.js";
import { cancelled, frames, openRequests, preface, repeated, requestBlock } from "../helpers/http2-frames.js";
import { codeOf, refusalsOf, refused, startLimited } from "../helpers/limited-api.js";
import {
  allBegun,
  http1Text,
  http2Frame,
  openRaw,
  openSession,
  openStream,
  sendOnSession,
  sessionClosed,
  versions,
  type HttpRequest,
} from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";

const io = { timeout: 20_000 };

describe("limits of calls", { timeout: 60_000 }, () => {
  const headers = { "content-type": "application/json" };
  const sys: HttpRequest = { path: paths.getSysStats, headers, body: "{}" };

  /** A call that runs until its stream is closed: its message is not whole. */
  function openCall(session: ReturnType<typeof openSession>) {
    const stream = openStream(session, { path: paths.getSysStats, headers });
    stream.on("error", () => undefined);
    stream.write("{");
    return stream;
  }

  for (const { version, send } of versions) {
    it(`refuses one beyond all that may run, until one has ended: ${version}`, async (t) => {
      const api = await startLimited(t, { maxCalls: 2 });
      const session = openSession(t, api.port);
      await once(session, "connect");
      const first = openCall(session);
      openCall(session);
      await allBegun(session);
      const answer = await send(api.port, sys);
      assert.equal(codeOf(answer), "unavailable");
      assert.equal(answer.headers["retry-after"], "1");
      first.close();
      await allBegun(session);
      assert.equal(codeOf(await send(api.port, sys)), "ok");
      // The call that was given up was none yet.
      await refused(api, { too_many_calls: 1, unreadable_call: 1 });
    });
  }

  it("refuses one beyond those of its connection over HTTP/1.1, and others go on", io, async (t) => {
    const api = await startLimited(t, { maxCallsPerConnection: 2 });
    const session = openSession(t, api.port);
    // The answers wait for the first, whose message never ends; of those behind it one is one too many.
    const whole = http1Text(sys);
    const bodyless = http1Text({ path: "/metrics", method: "GET" });
    const raw = await openRaw(t, api.port, bodyless.repeat(3), whole);
    const text = await raw.received("HTTP/1.1", 4);
    assert.match(text, /HTTP\/1\.1 200 [^]*HTTP\/1\.1 200 [^]*HTTP\/1\.1 429 /);
    assert.equal(codeOf(await sendOnSession(session, sys)), "ok");
  });

  it("tells HTTP/2 clients how many they may have, and takes no more", io, async (t) => {
    const api = await startLimited(t, { maxCallsPerConnection: 2 });
    const session = openSession(t, api.port);
    await once(session, "remoteSettings");
    assert.equal(session.remoteSettings.maxConcurrentStreams, 2);
    // Whoever does not heed it is told so, and may try again.
    const raw = await openRaw(t, api.port, preface, openRequests(3));
    const refusedStream = http2Frame(0x3, 0, 5, Buffer.from([0, 0, 0, constants.NGHTTP2_REFUSED_STREAM]));
    await raw.received(refusedStream.toString("latin1"));
    assert.equal(codeOf(await sendOnSession(session, sys)), "ok");
  });
});

describe("limits of connections", { timeout: 60_000 }, () => {
  for (const { what, options, reason } of [
    { what: "all", options: { maxConnections: 2 }, reason: "too_many_connections" },
    { what: "a source", options: { maxConnectionsPerSource: 2 }, reason: "too_many_connections_of_source" },
  ]) {
    it(`resets one beyond those of ${what}, until one has closed`, async (t) => {
      const api = await startLimited(t, options);
      const first = await openRaw(t, api.port);
      const session = openSession(t, api.port);
      await once(session, "remoteSettings");
      const beyond = connect(api.port, "127.0.0.1");
      closeAfter(t, beyond);
      const [error] = (await once(beyond, "error")) as [{ code?: string }];
      assert.equal(error.code, "ECONNRESET");
      const headers = { "content-type": "application/json" };
      const answer = await sendOnSession(session, { path: paths.getSysStats, headers, body: "{}" });
      assert.equal(codeOf(answer), "ok");
      const metrics = await sendOnSession(session, { path: "/metrics", method: "GET" });
      assert.match(metrics.body.toString(), new RegExp(`refused_requests_total{reason="${reason}"} 1\n`));
      first.socket.destroy();
      await first.closed();
    });
  }
});

describe("limits of a connection's times", { timeout: 60_000 }, () => {
  it("cuts one that says nothing, and tells of it", io, async (t) => {
    const api = await startLimited(t, { sniffTimeoutMs: 50 });
    const raw = await openRaw(t, api.port, "PRI");
    await raw.closed();
    await refused(api, { no_first_byte: 1 });
  });

  it("cuts requests that do not come whole, and tells of it", io, async (t) => {
    const api = await startLimited(t, { firstRequestTimeoutMs: 100 });
    const slow = await openRaw(
      t,
      api.port,
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n1",
    );
    await slow.closed();
    await refused(api, { unknown_path: 1, slow_request: 1 });
    const half = await openRaw(t, api.port, preface);
    await half.closed();
    await refused(api, { unknown_path: 1, slow_request: 2 });
  });
});

describe("limits of an HTTP/2 connection", { timeout: 60_000 }, () => {
  for (const { what, options, atLimit, beyond, reason } of [
    {
      // A tenth of them before the first answer.
      ...{ what: "cancelled requests", options: { maxHttp2Resets: 200 }, reason: "http2_resets" },
      ...{ atLimit: cancelled(20), beyond: cancelled(181, 2_001) },
    },
    {
      ...{ what: "PINGs", options: { maxHttp2Pings: 20 }, reason: "http2_pings" },
      ...{ atLimit: repeated(frames.ping, 20), beyond: frames.ping },
    },
    {
      // The preface has one, too; an answer counts as none sent before.
      ...{ what: "SETTINGS", options: { maxHttp2Settings: 20 }, reason: "http2_settings" },
      ...{ atLimit: repeated(frames.settings, 19), beyond: repeated(frames.settings, 2) },
    },
    {
      ...{ what: "bytes that nobody is told of", options: { maxHttp2Bytes: 65_536, maxRequestBytes: 10 } },
      ...{ atLimit: repeated(frames.window, 1_000), beyond: repeated(frames.window, 40_000) },
      reason: "http2_bytes",
    },
  ]) {
    it(`tells who sends too many ${what} to be calm, and closes`, async (t) => {
      const api = await startLimited(t, options);
      const raw = await openRaw(t, api.port, preface, atLimit);
      // A request that is answered comes behind all that was sent.
      raw.send(http2Frame(0x1, 0x4, 1_001, requestBlock), http2Frame(0x0, 0x1, 1_001, Buffer.from("{}")));
      await raw.received("NumGoroutine");
      assert.deepEqual(await refusalsOf(api), {});
      raw.send(reason === "http2_pings" || reason === "http2_settings" ? atLimit : Buffer.alloc(0));
      raw.send(beyond);
      const text = await raw.closed();
      const goaway = text.indexOf(String.fromCharCode(0, 0, 8, 7, 0, 0, 0, 0, 0));
      assert.ok(goaway > 0, "there is a GOAWAY");
      assert.equal(text.charCodeAt(goaway + 16), 0xb);
      // Of those that came first one or another was a call already.
      while ((await refusalsOf(api))[reason] !== 1);
    });
  }

  it("closes one that cancels a tenth as much before it has had an answer", io, async (t) => {
    const api = await startLimited(t, { maxHttp2Resets: 200 });
    const raw = await openRaw(t, api.port, preface, cancelled(21));
    await raw.closed();
    while ((await refusalsOf(api))["http2_resets"] !== 1);
  });

  it("leaves who calls as much as it takes", io, async (t) => {
    const api = await startLimited(t, { maxHttp2Pings: 5, maxHttp2Settings: 5, maxHttp2Resets: 1 });
    const session = openSession(t, api.port);
    const request = { path: paths.getSysStats, headers: { "content-type": "application/json" }, body: "{}" };
    for (let round = 0; round < 10; round++) {
      for (let ping = 0; ping < 3; ping++) await new Promise((resolve) => session.ping(resolve));
      assert.equal(codeOf(await sendOnSession(session, request)), "ok");
      const unknown = { path: "/nothing.Service/Get", headers: { "content-type": "application/grpc" } };
      assert.equal((await sendOnSession(session, unknown)).headers["grpc-status"], "12");
    }
    await refused(api, { unknown_service: 10 });
  });

  it("tells of floods that Node itself ends", io, async (t) => {
    const api = await startLimited(t, {});
    const opening = http2Frame(0x1, 0, 1, requestBlock.subarray(0, 20));
    const more = http2Frame(0x9, 0, 1, Buffer.alloc(0));
    const raw = await openRaw(t, api.port, preface, opening, repeated(more, 100));
    await raw.closed();
    await refused(api, { http2_errors: 1 });
  });

  it("lets another connection go on", io, async (t) => {
    const api = await startLimited(t, { maxHttp2Resets: 5 });
    const good = connectHttp2(api.url);
    closeAfter(t, good);
    const request = { path: paths.getSysStats, headers: { "content-type": "application/json" }, body: "{}" };
    assert.equal(codeOf(await sendOnSession(good, request)), "ok");
    const raw = await openRaw(t, api.port, preface, cancelled(50));
    await raw.closed();
    assert.equal(codeOf(await sendOnSession(good, request)), "ok");
    good.destroy();
    await sessionClosed(good);
  });
});

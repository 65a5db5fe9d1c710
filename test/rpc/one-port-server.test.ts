import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { Agent, request as requestHttp1 } from "node:http";
import type { Writable } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { ListenError } from "../../src/net/listen-error.js";
import { OnePortServer, type OnePortServerOptions } from "../../src/rpc/one-port-server.js";
import {
  sessionClosed,
  headerBlock,
  http1Text,
  http2Frame,
  http2Preface,
  openRaw,
  openSession,
  openStream,
  readAnswer,
  sendHttp1,
  sendHttp2,
  sendOnSession,
  versions,
} from "../helpers/raw-http.js";
import { createRandom, randomPieces } from "../helpers/random.js";
import { closeAfter } from "../helpers/sockets.js";
import { closed, turns, until, withTimeout } from "../helpers/timing.js";

interface Started {
  readonly server: OnePortServer;
  readonly port: number;
}

/** A server that says `METHOD PATH by VERSION`, with what came in the body. */
async function start(t: TestContext, options: Partial<OnePortServerOptions> = {}): Promise<Started> {
  const server = new OnePortServer({
    onRequest: (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("error", () => undefined);
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        response.end(`${request.method ?? ""} ${request.url ?? ""} by ${request.httpVersion} ${body}`);
      });
    },
    ...options,
  });
  closeAfter(t, server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return { server, port };
}

/** A server whose requests wait until the test opens the gate. */
async function startGated(
  t: TestContext,
  options: Partial<OnePortServerOptions> = {},
): Promise<Started & { readonly gate: EventEmitter }> {
  const gate = new EventEmitter();
  const started = await start(t, {
    onRequest: (request, response) => {
      request.resume();
      if (request.url === "/begun") (response as Writable).write("begun ");
      gate.emit("arrived");
      gate.once("open", () => {
        response.end("late");
      });
    },
    ...options,
  });
  return { ...started, gate };
}

const clientPreface = Buffer.concat([Buffer.from(http2Preface), http2Frame(0x4, 0, 0, Buffer.alloc(0))]);
const requestHeaders = headerBlock({
  ":method": "POST",
  ":scheme": "http",
  ":path": "/raw",
  ":authority": "localhost",
});
/** HEADERS without END_HEADERS: the rest never comes. */
const halfHeaders = http2Frame(0x1, 0, 1, requestHeaders.subarray(0, 20));
/** HEADERS of a request whose body never ends. */
const openHeaders = http2Frame(0x1, 0x4, 1, requestHeaders);
/** A whole request. */
const wholeHeaders = http2Frame(0x1, 0x4 | 0x1, 1, requestHeaders);

describe("OnePortServer", { timeout: 20_000 }, () => {
  it("serves HTTP/1.1 and HTTP/2 on the port that it says it chose", async (t) => {
    const { port } = await start(t);
    assert.ok(port > 0);
    assert.equal((await sendHttp1(port, { path: "/a", body: "x" })).body.toString(), "POST /a by 1.1 x");
    assert.equal((await sendHttp2(port, { path: "/a", body: "x" })).body.toString(), "POST /a by 2.0 x");
  });

  for (const method of [
    "POST",
    "PUT",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "GET",
    "OPTIONS",
    "DELETE",
  ]) {
    it(`serves ${method} over HTTP/1.1, come in one piece or byte by byte`, async (t) => {
      const { port } = await start(t);
      const text = http1Text({ method, path: "/a", headers: { connection: "close" } });
      const whole = await openRaw(t, port, text);
      assert.match(await whole.closed(), new RegExp(`\\r\\n\\r\\n.*${method} /a by 1\\.1`, "s"));
      const slow = await openRaw(t, port);
      for (const byte of text) {
        slow.send(byte);
        await turns(1);
      }
      assert.match(await slow.closed(), new RegExp(`\\r\\n\\r\\n.*${method} /a by 1\\.1`, "s"));
    });
  }

  it("serves HTTP/2 wherever its preface is cut in two", async (t) => {
    const { server, port } = await start(t);
    for (let cut = 1; cut <= http2Preface.length; cut++) {
      const raw = await openRaw(t, port, http2Preface.slice(0, cut));
      await until(() => server.connectionCount === 1);
      await turns(2);
      raw.send(clientPreface.subarray(cut), wholeHeaders);
      await raw.received("POST /raw by 2.0");
      raw.socket.destroy();
      await until(() => server.connectionCount === 0);
    }
  });

  it("serves HTTP/2 that comes byte by byte", async (t) => {
    const { port } = await start(t);
    const raw = await openRaw(t, port);
    for (const byte of Buffer.concat([clientPreface, wholeHeaders])) {
      raw.send(Buffer.from([byte]));
      await turns(1);
    }
    await raw.received("POST /raw by 2.0");
  });

  it("serves a request that came in the same segment as the preface", async (t) => {
    const { port } = await start(t);
    const raw = await openRaw(t, port, Buffer.concat([clientPreface, wholeHeaders]));
    await raw.received("POST /raw by 2.0");
  });

  it("keeps HTTP/1.1 connections open between requests", async (t) => {
    const { server, port } = await start(t);
    const raw = await openRaw(t, port);
    for (let round = 1; round <= 3; round++) {
      raw.send(http1Text({ path: `/${round}` }));
      await raw.received(`POST /${round} by 1.1`);
    }
    assert.equal(server.connectionCount, 1);
    assert.match(raw.text, /Connection: keep-alive/i);
  });

  it("serves many calls at once on one HTTP/2 connection", async (t) => {
    const { server, port } = await start(t);
    const session = openSession(t, port);
    const calls = Array.from({ length: 100 }, async (_, index) =>
      sendOnSession(session, { path: `/${index}` }),
    );
    const answers = await Promise.all(calls);
    assert.deepEqual(
      answers.map(({ body }) => body.toString()),
      answers.map((_, index) => `POST /${index} by 2.0 `),
    );
    assert.equal(server.connectionCount, 1);
  });

  it("answers an offer to upgrade to h2c over HTTP/1.1, as curl --http2 makes it", async (t) => {
    const { port } = await start(t);
    const headers = {
      connection: "Upgrade, HTTP2-Settings",
      upgrade: "h2c",
      "http2-settings": "AAMAAABkAAQAAP__",
    };
    const raw = await openRaw(t, port, http1Text({ method: "GET", path: "/up", headers }));
    assert.match(await raw.received("GET /up by 1.1"), /^HTTP\/1\.1 200 /);
  });

  it("serves 300 connections from one address", async (t) => {
    const { server, port } = await start(t);
    const raws = await Promise.all(Array.from({ length: 300 }, async () => openRaw(t, port)));
    for (const raw of raws) raw.send(http1Text({ path: "/many" }));
    await Promise.all(raws.map(async (raw) => raw.received("POST /many by 1.1")));
    assert.equal(server.connectionCount, 300);
    for (const { socket } of raws) socket.destroy();
    await until(() => server.connectionCount === 0);
  });

  it("says where it cannot listen, and why", async (t) => {
    const { port } = await start(t);
    const second = new OnePortServer({ onRequest: () => undefined });
    closeAfter(t, second);
    await assert.rejects(second.listen({ host: "127.0.0.1", port }), (error) => {
      assert.ok(error instanceof ListenError);
      assert.equal(error.message, `listen 127.0.0.1:${port}: address in use`);
      return true;
    });
  });
});

describe("OnePortServer's patience", { timeout: 20_000 }, () => {
  for (const { what, text } of [
    { what: "nothing", text: "" },
    { what: "P", text: "P" },
    { what: "PR", text: "PR" },
    { what: "half a preface", text: "PRI * HTTP/2" },
    { what: "a preface but for its last byte", text: http2Preface.slice(0, -1) },
  ]) {
    it(`ends in time with a client that says ${what}`, async (t) => {
      const { server, port } = await start(t, { sniffTimeoutMs: 60 });
      const raw = await openRaw(t, port, text);
      assert.equal(await raw.closed(), "");
      await until(() => server.connectionCount === 0);
    });

    it(`is not needed for a client that says ${what} and leaves`, async (t) => {
      const { server, port } = await start(t, { sniffTimeoutMs: 1_000_000 });
      for (const leave of ["end", "destroy", "resetAndDestroy"] as const) {
        const raw = await openRaw(t, port, text);
        await until(() => server.connectionCount === 1);
        raw.socket[leave]();
        await until(() => server.connectionCount === 0);
      }
    });
  }

  for (const { what, text } of [
    { what: "half a request line", text: "POST /a HT" },
    { what: "half a head", text: "POST /a HTTP/1.1\r\nHost: localhost\r\nX-Y: " },
    { what: "half a body", text: "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc" },
    {
      what: "half a chunk",
      text: "POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
    },
  ]) {
    it(`ends in time with ${what} over HTTP/1.1`, async (t) => {
      const { server, port } = await start(t, { firstRequestTimeoutMs: 60 });
      const raw = await openRaw(t, port, text);
      assert.match(await raw.closed(), /^HTTP\/1\.1 408 |^$/);
      await until(() => server.connectionCount === 0);
    });
  }

  it("ends with the second request over HTTP/1.1 as with the first", async (t) => {
    const { server, port } = await start(t, { firstRequestTimeoutMs: 80 });
    const raw = await openRaw(t, port, http1Text({ path: "/1" }));
    await raw.received("POST /1 by 1.1");
    raw.send("POST /2 HTTP/1.1\r\nHost: local");
    await raw.closed();
    await until(() => server.connectionCount === 0);
  });

  for (const { what, bytes } of [
    { what: "nothing but the preface", bytes: Buffer.from(http2Preface) },
    { what: "nothing but SETTINGS", bytes: clientPreface },
    { what: "half of a HEADERS frame", bytes: Buffer.concat([clientPreface, halfHeaders.subarray(0, 15)]) },
    { what: "HEADERS that do not end", bytes: Buffer.concat([clientPreface, halfHeaders]) },
    { what: "a request that does not end", bytes: Buffer.concat([clientPreface, openHeaders]) },
  ]) {
    it(`ends in time with ${what} over HTTP/2`, async (t) => {
      const { server, port } = await start(t, { firstRequestTimeoutMs: 60, http2IdleTimeoutMs: 1_000_000 });
      const raw = await openRaw(t, port, bytes);
      await raw.closed();
      await until(() => server.connectionCount === 0);
    });
  }

  it("does not end with an HTTP/2 connection that has made a request", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { server, port } = await start(t, { firstRequestTimeoutMs: 250 });
    const session = openSession(t, port);
    assert.equal((await sendOnSession(session, { path: "/1" })).status, 200);
    t.mock.timers.tick(500);
    assert.equal((await sendOnSession(session, { path: "/2" })).status, 200);
    assert.equal(server.connectionCount, 1);
  });

  it("ends with an HTTP/2 connection that has been idle, and tells it", async (t) => {
    const { server, port } = await start(t, { http2IdleTimeoutMs: 50 });
    const session = openSession(t, port);
    const goaway = once(session, "goaway");
    assert.equal((await sendOnSession(session, { path: "/1" })).status, 200);
    assert.deepEqual((await goaway)[0], 0);
    await sessionClosed(session);
    await until(() => server.connectionCount === 0);
  });

  it("does not end with a call that takes its time", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { port, gate } = await startGated(t, { http2IdleTimeoutMs: 20, firstRequestTimeoutMs: 250 });
    const session = openSession(t, port);
    const arrived = once(gate, "arrived");
    const answering = sendOnSession(session, { path: "/slow" });
    await arrived;
    t.mock.timers.tick(500);
    gate.emit("open");
    assert.equal((await answering).body.toString(), "late");
  });

  it("ends with an idle HTTP/1.1 connection", async (t) => {
    const { server, port } = await start(t, { http1IdleTimeoutMs: 1 });
    const raw = await openRaw(t, port, http1Text({ path: "/1" }));
    await raw.received("POST /1 by 1.1");
    // Node adds a second of its own to what it was told, and would wait for five by itself.
    await withTimeout(raw.closed(), 3_000, "the connection's end");
    await until(() => server.connectionCount === 0);
  });

  it("ends with an HTTP/2 client that ends its side, though a call is running", async (t) => {
    const { server, port, gate } = await startGated(t);
    const arrived = once(gate, "arrived");
    const raw = await openRaw(t, port, clientPreface, wholeHeaders);
    await arrived;
    raw.socket.end();
    await until(() => server.connectionCount === 0);
  });

  it("ends without a word with a client whose first line is none of HTTP's", async (t) => {
    const { server, port } = await start(t);
    const raw = await openRaw(t, port, "INVALID CONNECTION PREFACE\r\n\r\n");
    assert.equal(await raw.closed(), "");
    await until(() => server.connectionCount === 0);
  });

  it("ends with an answer with a client whose first line names a method that there is not", async (t) => {
    const { server, port } = await start(t);
    const raw = await openRaw(t, port, http1Text({ method: "BREW", path: "/" }));
    assert.match(await raw.closed(), /^HTTP\/1\.1 400 /);
    await until(() => server.connectionCount === 0);
  });

  it("ends with garbage, and the server lives", async (t) => {
    const { server, port } = await start(t, { sniffTimeoutMs: 150, firstRequestTimeoutMs: 150 });
    const random = createRandom(20);
    const beginnings = [
      "",
      "P",
      "PRI * HTTP/2.0\r\n",
      http2Preface,
      clientPreface,
      http1Text({ path: "/" }),
      "GET /",
    ];
    const raws = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const beginning = Buffer.from(random.pick(["", ...beginnings]));
        const blob = Buffer.concat([beginning, random.bytes(1 + random.below(2_000))]);
        return openRaw(t, port, ...randomPieces(random, blob, 500));
      }),
    );
    await Promise.all(raws.map(async (raw) => raw.closed()));
    await until(() => server.connectionCount === 0);
    for (const { send } of versions) assert.equal((await send(port, { path: "/" })).status, 200);
  });
});

describe("OnePortServer's stop", { timeout: 20_000 }, () => {
  const never = new AbortController().signal;

  it("closes idle connections of every kind at once, and accepts no more", async (t) => {
    const { server, port } = await start(t, { sniffTimeoutMs: 1_000_000 });
    const http1 = await openRaw(t, port, http1Text({ path: "/1" }));
    await http1.received("POST /1 by 1.1");
    const http2 = openSession(t, port);
    await sendOnSession(http2, { path: "/2" });
    const goaway = once(http2, "goaway");
    const silent = await openRaw(t, port);
    const undecided = await openRaw(t, port, "PRI *");
    await until(() => server.connectionCount === 4);
    await server.stop(never);
    assert.equal(server.connectionCount, 0);
    assert.equal((await goaway)[0], 0);
    await Promise.all([http1.closed(), silent.closed(), undecided.closed(), sessionClosed(http2)]);
    await assert.rejects(sendHttp1(port, { path: "/" }), { code: "ECONNREFUSED" });
  });

  it("lets a running HTTP/1.1 call end, and closes its connection", async (t) => {
    const { server, port, gate } = await startGated(t);
    const arrived = once(gate, "arrived");
    const raw = await openRaw(t, port, http1Text({ path: "/" }));
    await arrived;
    const stopped = server.stop(never);
    await turns(5);
    assert.equal(server.connectionCount, 1);
    gate.emit("open");
    await stopped;
    assert.match(await raw.closed(), /\r\n\r\n4\r\nlate|\r\n\r\nlate$/);
  });

  it("does not wait for half a request, or for a connection between two", async (t) => {
    const { server, port } = await start(t);
    const half = await openRaw(t, port, "GET / HT");
    const between = await openRaw(t, port, http1Text({ path: "/1" }));
    await between.received("/1 by 1.1");
    between.send("GET / HTTP/1.1\r\nHost: lo");
    await turns(5);
    await server.stop(never);
    await Promise.all([half.closed(), between.closed()]);
  });

  it("lets an answer end that has promised to keep its connection, and closes that", async (t) => {
    const { server, port, gate } = await startGated(t);
    const raw = await openRaw(t, port, http1Text({ path: "/begun" }));
    assert.match(await raw.received("begun"), /Connection: keep-alive/i);
    const stopped = server.stop(never);
    gate.emit("open");
    await stopped;
    assert.match(await raw.closed(), /late/);
  });

  it("tells HTTP/1.1 clients that come in on open connections to close them", async (t) => {
    const { server, port, gate } = await startGated(t);
    const arrived = once(gate, "arrived");
    // The first keeps the connection busy, the second is read while the server stops.
    const raw = await openRaw(t, port, http1Text({ path: "/1" }));
    await arrived;
    const stopped = server.stop(never);
    const second = once(gate, "arrived");
    raw.send(http1Text({ path: "/2" }));
    await second;
    gate.emit("open");
    await stopped;
    const text = await raw.closed();
    assert.equal(text.split("late").length, 3);
    assert.match(text, /Connection: close/i);
  });

  it("lets a running HTTP/2 call end, tells the client to go, and closes", async (t) => {
    const { server, port, gate } = await startGated(t);
    const session = openSession(t, port);
    const goaway = once(session, "goaway");
    const arrived = once(gate, "arrived");
    const answering = sendOnSession(session, { path: "/" });
    await arrived;
    const stopped = server.stop(never);
    await goaway;
    assert.equal(server.connectionCount, 1);
    gate.emit("open");
    assert.equal((await answering).body.toString(), "late");
    await stopped;
    await sessionClosed(session);
  });

  it("ends a connection whose HTTP/2 preface is on its way", async (t) => {
    const { server, port } = await start(t);
    const raw = await openRaw(t, port, clientPreface);
    const stopped = server.stop(never);
    raw.socket.end();
    await raw.closed();
    await stopped;
    assert.equal(server.connectionCount, 0);
  });

  for (const { what, bytes } of [
    { what: "HEADERS that do not end", bytes: Buffer.concat([clientPreface, halfHeaders]) },
    { what: "a call that does not end", bytes: Buffer.concat([clientPreface, openHeaders]) },
    {
      what: "an HTTP/1.1 call that does not end",
      bytes: Buffer.from("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf"),
    },
  ]) {
    it(`waits for ${what} until it is cut`, async (t) => {
      const { server, port } = await start(t);
      const raw = await openRaw(t, port, bytes);
      await until(() => server.connectionCount === 1);
      await turns(5);
      const cut = new AbortController();
      const stopped = server.stop(cut.signal);
      await turns(10);
      assert.equal(server.connectionCount, 1);
      cut.abort();
      await stopped;
      assert.equal(server.connectionCount, 0);
      await raw.closed();
    });
  }

  it("cuts running calls at once when it is disposed, however often", async (t) => {
    const { server, port, gate } = await startGated(t);
    const arrived = once(gate, "arrived");
    const raw = await openRaw(t, port, http1Text({ path: "/" }));
    await arrived;
    const arrivedToo = once(gate, "arrived");
    const stream = openStream(openSession(t, port), { path: "/" });
    stream.on("error", () => undefined);
    stream.end();
    await arrivedToo;
    await Promise.all([server[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]);
    await server[Symbol.asyncDispose]();
    assert.equal(await raw.closed(), "");
    await closed(stream);
    assert.equal(server.connectionCount, 0);
    gate.emit("open");
  });

  it("of a server that never listened is nothing", async () => {
    const server = new OnePortServer({ onRequest: () => undefined });
    await server.stop(never);
    await server[Symbol.asyncDispose]();
    assert.equal(server.connectionCount, 0);
  });

  it("does not wait for pooled connections of Node's own client", async (t) => {
    const { server, port } = await start(t);
    const agent = new Agent({ keepAlive: true });
    t.after(() => {
      agent.destroy();
    });
    const request = requestHttp1({ host: "127.0.0.1", port, agent, method: "POST" });
    request.end();
    const [response] = (await once(request, "response")) as [NodeJS.ReadableStream];
    response.resume();
    await once(response, "end");
    await server.stop(never);
    assert.equal(server.connectionCount, 0);
  });

  it("is seen by a stream that is read to its end meanwhile", async (t) => {
    const { server, port, gate } = await startGated(t);
    const stream = openStream(openSession(t, port), { path: "/begun" });
    stream.end();
    const answering = readAnswer(stream);
    await once(stream, "response");
    const stopped = server.stop(never);
    gate.emit("open");
    assert.equal((await answering).body.toString(), "begun late");
    await stopped;
  });
});

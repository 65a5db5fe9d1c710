import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { constants, type ServerHttp2Stream } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { NodeHandler } from "../../src/rpc/node-http.js";
import { OnePortServer, type OnePortServerOptions } from "../../src/rpc/one-port-server.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import {
  openSession,
  openStream,
  readAnswer,
  sendHttp1,
  sendHttp2,
  sendOnSession,
  sessionClosed,
} from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import { closed, turns, until } from "../helpers/timing.js";

/** Says `METHOD PATH by VERSION`, with what came in the body. */
const onRequest: NodeHandler = (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("error", () => undefined);
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString();
    response.end(`${request.method ?? ""} ${request.url ?? ""} by ${request.httpVersion} ${body}`);
  });
};

async function start(t: TestContext, options: Partial<OnePortServerOptions>) {
  const server = new OnePortServer({ onRequest, ...options });
  closeAfter(t, server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return { server, port };
}

function answer(stream: ServerHttp2Stream, text: string): void {
  stream.resume();
  stream.respond({ ":status": 200, "x-taken": "yes" });
  stream.end(text);
}

describe("OnePortServer's streams", { timeout: 20_000 }, () => {
  it("become requests where nobody is shown them", async (t) => {
    const { port } = await start(t, {});
    const { body } = await sendHttp2(port, { path: "/a", body: "b" });
    assert.equal(body.toString(), "POST /a by 2.0 b");
  });

  it("are shown with their headers, and become requests if they are not taken", async (t) => {
    const shown: unknown[] = [];
    const { port } = await start(t, {
      onStream: (_, { headers }) => {
        shown.push([headers[":method"], headers[":path"], headers["x-own"]]);
        return false;
      },
    });
    const { body } = await sendHttp2(port, { path: "/a?b", headers: { "x-own": "c" }, body: "d" });
    assert.equal(body.toString(), "POST /a?b by 2.0 d");
    assert.deepEqual(shown, [["POST", "/a?b", "c"]]);
  });

  it("are their taker's alone", async (t) => {
    let requestCount = 0;
    const { port } = await start(t, {
      onRequest: () => (requestCount += 1),
      onStream: (stream) => {
        answer(stream, "taken");
        return true;
      },
    });
    const session = openSession(t, port);
    for (let round = 0; round < 3; round++) {
      const { status, headers, body } = await sendOnSession(session, { path: "/", body: "a" });
      assert.deepEqual([status, headers["x-taken"], body.toString()], [200, "yes", "taken"]);
    }
    assert.equal(requestCount, 0);
  });

  it("are shown one by one: what becomes of one says nothing of the next", async (t) => {
    const { port } = await start(t, {
      onStream: (stream, { headers }) => {
        if (headers[":path"] !== "/taken") return false;
        answer(stream, "taken");
        return true;
      },
    });
    const session = openSession(t, port);
    const bodies = await Promise.all(
      ["/taken", "/other", "/taken", "/other"].map(async (path) =>
        (await sendOnSession(session, { path })).body.toString(),
      ),
    );
    assert.deepEqual(bodies, ["taken", "POST /other by 2.0 ", "taken", "POST /other by 2.0 "]);
  });

  it("are not shown where they are requests of HTTP/1.1", async (t) => {
    let shownCount = 0;
    const { port } = await start(t, { onStream: () => (shownCount += 1) > 0 });
    assert.equal((await sendHttp1(port, { path: "/" })).body.toString(), "POST / by 1.1 ");
    assert.equal(shownCount, 0);
  });

  it("are not shown when their client waits to be told to go on, and it is told", async (t) => {
    let shownCount = 0;
    const { port } = await start(t, { onStream: () => (shownCount += 1) > 0 });
    const stream = openStream(openSession(t, port), { path: "/", headers: { expect: "100-continue" } });
    await once(stream, "continue");
    stream.end("a");
    assert.equal((await readAnswer(stream)).body.toString(), "POST / by 2.0 a");
    assert.equal(shownCount, 0);
  });

  it("become requests later, when they are handed over, with the body that nobody has read", async (t) => {
    const gate = new EventEmitter();
    const { port } = await start(t, {
      onStream: (_, _headers, handOver) => {
        gate.once("open", handOver);
        return true;
      },
    });
    const stream = openStream(openSession(t, port), { path: "/late" });
    stream.end("body");
    await until(() => gate.listenerCount("open") > 0);
    await turns(10);
    gate.emit("open");
    assert.equal((await readAnswer(stream)).body.toString(), "POST /late by 2.0 body");
  });

  it("can be handed over when they are cancelled already, which ends nothing but them", async (t) => {
    const gate = new EventEmitter();
    const taken: ServerHttp2Stream[] = [];
    const logger = new RecordingLogger();
    const { port } = await start(t, {
      onStream: (stream, { headers }, handOver) => {
        if (headers[":path"] !== "/late") return false;
        stream.on("error", () => undefined);
        taken.push(stream);
        gate.once("open", handOver);
        return true;
      },
      logger,
    });
    const session = openSession(t, port);
    const stream = openStream(session, { path: "/late" });
    await until(() => taken.length > 0);
    stream.close(constants.NGHTTP2_CANCEL);
    await until(() => taken[0]?.destroyed === true);
    gate.emit("open");
    await turns(5);
    assert.equal((await sendOnSession(session, { path: "/b" })).body.toString(), "POST /b by 2.0 ");
    assert.deepEqual(logger.messages("error"), []);
  });

  it("are freed of a caller who still sends, when they are answered after being handed over", async (t) => {
    const { port } = await start(t, {
      onRequest: (_, response) => response.end("enough"),
      onStream: (_, _headers, handOver) => {
        setImmediate(handOver);
        return true;
      },
    });
    const stream = openStream(openSession(t, port), { path: "/" });
    stream.write("and more to come");
    assert.equal((await readAnswer(stream)).body.toString(), "enough");
    await closed(stream);
    assert.equal(stream.rstCode, constants.NGHTTP2_NO_ERROR);
  });

  it("keep their connection from being idle while they are taken", async (t) => {
    const gate = new EventEmitter();
    const { port } = await start(t, {
      onStream: (stream) => {
        gate.once("open", () => {
          answer(stream, "late");
        });
        return true;
      },
      http2IdleTimeoutMs: 50,
    });
    const session = openSession(t, port);
    const stream = openStream(session, { path: "/" });
    stream.end();
    const reading = readAnswer(stream);
    await until(() => gate.listenerCount("open") > 0);
    await delay(150);
    assert.equal(session.destroyed, false);
    gate.emit("open");
    assert.equal((await reading).body.toString(), "late");
    // Idle from now on, and so it is ended.
    await sessionClosed(session);
  });

  it("are waited for when the server stops", async (t) => {
    const gate = new EventEmitter();
    const { server, port } = await start(t, {
      onStream: (stream) => {
        gate.once("open", () => {
          answer(stream, "last");
        });
        return true;
      },
    });
    const stream = openStream(openSession(t, port), { path: "/" });
    stream.end();
    const reading = readAnswer(stream);
    await until(() => gate.listenerCount("open") > 0);
    const stopped = server.stop(new AbortController().signal);
    await turns(10);
    gate.emit("open");
    assert.equal((await reading).body.toString(), "last");
    await stopped;
  });

  it("are cut when the server's patience ends", async (t) => {
    let takenCount = 0;
    const { server, port } = await start(t, {
      onStream: (stream) => {
        stream.on("error", () => undefined);
        takenCount += 1;
        return true;
      },
    });
    const stream = openStream(openSession(t, port), { path: "/" });
    stream.end();
    await until(() => takenCount > 0);
    await server.stop(AbortSignal.abort());
    await closed(stream);
    assert.equal(server.connectionCount, 0);
  });
});

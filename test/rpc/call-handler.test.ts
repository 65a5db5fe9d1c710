import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { StatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { createCallHandler } from "../../src/rpc/call-handler.js";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { count, paths, startApi, userUplink, valuesOf } from "../helpers/api-server.js";
import { envelope, envelopesOf, getStatsRequest, getStatsValue, queryStatsRequest } from "../helpers/grpc.js";
import {
  http1Text,
  openRaw,
  openSession,
  openStream,
  readAnswer,
  sendHttp1,
  sendHttp2,
  versions,
  type HttpAnswer,
} from "../helpers/raw-http.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { closeAfter } from "../helpers/sockets.js";
import { failureOf, services, StatsClient, ways } from "../helpers/stats-clients.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { closed, event, turns, until, withTimeout } from "../helpers/timing.js";

const alice = userUplink("alice");
const json = { "content-type": "application/json" };
const proto = { "content-type": "application/proto" };
const grpc = { "content-type": "application/grpc", te: "trailers" };
const grpcWeb = { "content-type": "application/grpc-web+proto" };

const maxBytes = 65_536;

/** The gRPC status of an answer in whatever place its protocol puts it; Connect's code otherwise. */
function statusOf({ headers, trailers, body }: HttpAnswer): string {
  const contentType = String(headers["content-type"]);
  if (contentType.startsWith("application/grpc-web")) {
    const last = envelopesOf(body).at(-1);
    return /grpc-status: ?(\d+)/.exec(last?.data.toString() ?? "")?.[1] ?? "none";
  }
  if (contentType.startsWith("application/grpc")) {
    return String(trailers["grpc-status"] ?? headers["grpc-status"]);
  }
  return String((JSON.parse(body.toString()) as { code?: string }).code);
}

async function startHandler(
  t: TestContext,
  routes: (router: ConnectRouter) => void,
  logger = new RecordingLogger(),
): Promise<number> {
  const server = new OnePortServer({ onRequest: createCallHandler({ routes, logger }).onRequest });
  closeAfter(t, server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return port;
}

describe("a malformed call", { timeout: 20_000 }, () => {
  const get = getStatsRequest({ name: alice, reset: true });
  const whole = envelope(get);
  const malformed = [
    { what: "two messages", bytes: Buffer.concat([whole, whole]) },
    { what: "a message and half of another one's head", bytes: Buffer.concat([whole, whole.subarray(0, 3)]) },
    { what: "a message and half of another one", bytes: Buffer.concat([whole, whole.subarray(0, 12)]) },
    { what: "no message", bytes: Buffer.alloc(0) },
    { what: "half an envelope's head", bytes: whole.subarray(0, 3) },
    { what: "an envelope's head alone", bytes: whole.subarray(0, 5) },
    { what: "all of a message but its last byte", bytes: whole.subarray(0, -1) },
    { what: "an envelope shorter than its message", bytes: envelope(get.subarray(0, -1)) },
    { what: "a message said to be compressed", bytes: envelope(get, 1) },
    { what: "no protobuf", bytes: envelope(Buffer.from([0xff, 0xff, 0xff])) },
  ];
  for (const { what, bytes } of malformed) {
    for (const { protocol, headers, send } of [
      { protocol: "gRPC over HTTP/2", headers: grpc, send: sendHttp2 },
      { protocol: "gRPC-Web over HTTP/1.1", headers: grpcWeb, send: sendHttp1 },
      { protocol: "gRPC-Web over HTTP/2", headers: grpcWeb, send: sendHttp2 },
    ]) {
      it(`is an error and resets nothing: ${what}, ${protocol}`, async (t) => {
        const api = await startApi(t);
        count(api.store, alice, 5);
        const answer = await send(api.port, { path: paths.getStats, headers, body: bytes });
        assert.match(statusOf(answer), /^([2-9]|1[0-6])$/);
        assert.deepEqual(valuesOf(api.store), { [alice]: 5n });
      });
    }
  }

  const badJson = "400 invalid_argument";
  // What connect-es says for messages that are no protobuf, as gRPC does.
  const badBinary = "500 internal";
  for (const { what, headers, body, status } of [
    { what: "half a JSON text", headers: json, body: `{"name":"${alice}","reset":true`, status: badJson },
    { what: "two JSON texts", headers: json, body: `{"name":"${alice}","reset":true}{}`, status: badJson },
    { what: "a wrong type", headers: json, body: `{"name":"${alice}","reset":"yes"}`, status: badJson },
    { what: "an array", headers: json, body: "[]", status: badJson },
    { what: "nothing", headers: json, body: "", status: badJson },
    { what: "half a message", headers: proto, body: get.subarray(0, -1), status: badBinary },
    { what: "no protobuf", headers: proto, body: Buffer.from([0xff, 0xff, 0xff]), status: badBinary },
  ]) {
    for (const { version, send } of versions) {
      it(`is an error and resets nothing: ${what}, Connect ${headers["content-type"]} over ${version}`, async (t) => {
        const api = await startApi(t);
        count(api.store, alice, 5);
        const answer = await send(api.port, { path: paths.getStats, headers, body });
        assert.equal(`${answer.status} ${statusOf(answer)}`, status);
        assert.deepEqual(valuesOf(api.store), { [alice]: 5n });
      });
    }
  }

  it("resets nothing when the caller leaves in the middle of it, and nobody is warned", async (t) => {
    const logger = new RecordingLogger();
    const api = await startApi(t, { logger });
    count(api.store, alice, 5);
    const body = JSON.stringify({ name: alice, reset: true });
    const head = http1Text({ path: paths.getStats, headers: json, body }).slice(0, -1);
    for (const leave of ["end", "destroy", "resetAndDestroy"] as const) {
      const { socket } = await openRaw(t, api.port, head);
      await turns(5);
      socket[leave]();
      await closed(socket);
    }
    const stream = openStream(openSession(t, api.port), { path: paths.getStats, headers: json });
    stream.write(body.slice(0, -1));
    await once(stream, "ready");
    stream.close(8);
    await closed(stream);
    await api.server.stop(new AbortController().signal);
    assert.deepEqual(valuesOf(api.store), { [alice]: 5n });
    assert.deepEqual(logger.messages("warn"), []);
  });

  it("with half a surrogate pair in a name ends nothing but itself", async (t) => {
    const api = await startApi(t);
    const text = Buffer.from('{"name":"\\ud800"}');
    const path = paths.getStats;
    const connectAnswer = await sendHttp1(api.port, { path, headers: json, body: text });
    assert.notEqual(connectAnswer.status, 200);
    const headers = { ...grpc, "content-type": "application/grpc+json" };
    await Promise.allSettled([sendHttp2(api.port, { path, headers, body: envelope(text) })]);
    assert.equal((await sendHttp1(api.port, { path: "/" })).status, 404);
  });
});

describe("a request's method and content type", { timeout: 20_000 }, () => {
  for (const { version, send } of versions) {
    for (const method of ["GET", "PUT", "DELETE", "PATCH", "HEAD"]) {
      it(`is 405 for a call that changes something, and resets nothing: ${method} over ${version}`, async (t) => {
        const api = await startApi(t);
        count(api.store, alice, 5);
        const message = encodeURIComponent(JSON.stringify({ name: alice, reset: true }));
        for (const path of [paths.getStats, paths.queryStats]) {
          const query = `${path}?encoding=json&message=${message}`;
          const answer = await send(api.port, {
            method,
            path: query,
            ...(method === "GET" ? {} : { headers: json }),
          });
          assert.equal(answer.status, 405);
        }
        assert.deepEqual(valuesOf(api.store), { [alice]: 5n });
      });
    }

    for (const contentType of [
      "application/json; charset=latin1",
      "application/json; charset=utf-16",
      "text/plain",
      "text/plain;charset=UTF-8",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "application/grpc-web-textual",
      "",
    ]) {
      it(`is 415 without effect: ${JSON.stringify(contentType)} over ${version}`, async (t) => {
        const api = await startApi(t);
        count(api.store, alice, 5);
        const body = JSON.stringify({ name: alice, reset: true });
        const headers = { "content-type": contentType };
        const answer = await send(api.port, { path: paths.getStats, headers, body });
        assert.equal(answer.status, 415);
        assert.deepEqual(valuesOf(api.store), { [alice]: 5n });
      });
    }

    for (const contentType of [
      "application/json; charset=utf-8",
      "application/json;charset=UTF-8",
      "Application/JSON",
    ]) {
      it(`is served: ${contentType} over ${version}`, async (t) => {
        const api = await startApi(t);
        count(api.store, alice, 5);
        const headers = { "content-type": contentType };
        const answer = await send(api.port, {
          path: paths.getStats,
          headers,
          body: JSON.stringify({ name: alice }),
        });
        assert.deepEqual(JSON.parse(answer.body.toString()), { stat: { name: alice, value: "5" } });
      });
    }
  }

  it("is served in JSON inside gRPC, too", async (t) => {
    const api = await startApi(t);
    count(api.store, alice, 2n ** 60n);
    const headers = { ...grpc, "content-type": "application/grpc+json" };
    const body = envelope(Buffer.from(JSON.stringify({ name: alice })));
    const answer = await sendHttp2(api.port, { path: paths.getStats, headers, body });
    assert.equal(
      envelopesOf(answer.body)[0]?.data.toString(),
      `{"stat":{"name":"${alice}","value":"${2n ** 60n}"}}`,
    );
  });
});

describe("a path that is not served", { timeout: 20_000 }, () => {
  const service = "v2ray.core.app.stats.command.StatsService";
  const unknown = [
    { path: `/${service}/GetStatsOfNow`, message: `${service} has no method "GetStatsOfNow"`, http: 501 },
    { path: `/${service}/getStats`, message: `${service} has no method "getStats"`, http: 501 },
    { path: `/${service}/GetStats/`, message: `${service} has no method "GetStats"`, http: 501 },
    { path: `/${service}/`, message: `${service} has no method ""`, http: 501 },
    { path: `/${service}`, message: `${service} has no method ""`, http: 501 },
    {
      path: "/grpc.nothing.v1.Nothing/Check",
      message: 'unknown service "grpc.nothing.v1.Nothing"',
      http: 404,
    },
    { path: "/", message: 'unknown service ""', http: 404 },
    { path: "//a", message: 'unknown service ""', http: 404 },
    { path: "/__proto__/constructor", message: 'unknown service "__proto__"', http: 404 },
  ];
  for (const { path, message, http } of unknown) {
    it(`is UNIMPLEMENTED in gRPC, in the one frame that ends the stream: ${path}`, async (t) => {
      const api = await startApi(t);
      const answer = await sendHttp2(api.port, { path, headers: grpc, body: envelope(Buffer.alloc(0)) });
      assert.equal(answer.isOneFrame, true);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["grpc-status"], "12");
      assert.equal(answer.headers["grpc-message"], message);
    });

    for (const { version, send } of versions) {
      it(`is UNIMPLEMENTED in gRPC-Web, in a frame of the body: ${path} over ${version}`, async (t) => {
        const api = await startApi(t);
        const answer = await send(api.port, { path, headers: grpcWeb, body: envelope(Buffer.alloc(0)) });
        assert.equal(answer.status, 200);
        const [frame] = envelopesOf(answer.body);
        assert.equal(frame?.flags, 0x80);
        assert.equal(frame.data.toString(), `grpc-status: 12\r\ngrpc-message: ${message}\r\n`);
      });

      for (const headers of [json, proto]) {
        it(`is HTTP ${http} and "unimplemented" in Connect: ${path} over ${version}, ${headers["content-type"]}`, async (t) => {
          const api = await startApi(t);
          const answer = await send(api.port, { path: `${path}?x=y`, headers, body: "{}" });
          assert.equal(answer.status, http);
          assert.deepEqual(JSON.parse(answer.body.toString()), { code: "unimplemented", message });
        });
      }

      it(`is HTTP ${http} to everybody else: ${path} over ${version}`, async (t) => {
        const api = await startApi(t);
        const answer = await send(api.port, { method: "GET", path });
        assert.equal(answer.status, http);
        assert.equal(statusOf(answer), http === 501 ? "unimplemented" : "not_found");
      });
    }
  }

  it("is every path where nothing is counted", async (t) => {
    const api = await startApi(t, { store: undefined });
    const answer = await sendHttp2(api.port, {
      path: paths.getSysStats,
      headers: grpc,
      body: envelope(Buffer.alloc(0)),
    });
    assert.equal(answer.headers["grpc-status"], "12");
    assert.equal(
      answer.headers["grpc-message"],
      'unknown service "v2ray.core.app.stats.command.StatsService"',
    );
  });
});

describe("a caller who hangs up", { timeout: 20_000 }, () => {
  it("is no reason to warn, where the answer finds that nobody reads any more", async (t) => {
    const logger = new RecordingLogger();
    const calls = new EventEmitter();
    const begun = once(calls, "begun");
    // Larger than what a socket takes while nobody reads.
    const stat = { name: "x".repeat(4_000_000), value: 1n };
    const { onRequest } = createCallHandler({
      routes: (router) =>
        router.service(StatsService, {
          getStats: async () => {
            calls.emit("begun");
            await once(calls, "gone");
            return { stat };
          },
        }),
      logger,
    });
    const server = new OnePortServer({ onRequest });
    closeAfter(t, server);
    const { path } = await server.listenOnFile({ path: join(createTempDir(t).path, "api.sock") });
    const client = connect(path);
    closeAfter(t, client);
    client.write(http1Text({ path: paths.getStats, headers: proto, body: getStatsRequest({ name: alice }) }));
    await begun;
    // The answer is written before the server has heard of the end.
    client.destroy();
    calls.emit("gone");
    await until(() => logger.lines.some(({ message }) => message === "call failed"));
    const told = logger.lines.find(({ message }) => message === "call failed");
    assert.deepEqual(told, {
      ...{ level: "debug", message: "call failed" },
      fields: { path: paths.getStats, error: "write EPIPE" },
    });
    assert.deepEqual(logger.messages("warn"), []);
  });
});

describe("the size of a request", { timeout: 20_000 }, () => {
  /** A request of QueryStats that is exactly so long, in binary and in JSON. */
  function requestOf(length: number, isJson: boolean): Uint8Array {
    // None of them longer than a pattern may be.
    const write = (lastLength: number): Uint8Array => {
      const patterns = [...Array.from({ length: 4 }, () => "x".repeat(15_000)), "x".repeat(lastLength)];
      return isJson
        ? Buffer.from(JSON.stringify({ patterns, reset: true }))
        : queryStatsRequest({ patterns, reset: true });
    };
    return write(1_000 + length - write(1_000).length);
  }

  const protocols = [
    {
      protocol: "Connect JSON",
      headers: json,
      isJson: true,
      wrap: (bytes: Uint8Array) => bytes,
      isHttp1: true,
    },
    {
      protocol: "Connect binary",
      headers: proto,
      isJson: false,
      wrap: (bytes: Uint8Array) => bytes,
      isHttp1: true,
    },
    { protocol: "gRPC-Web", headers: grpcWeb, isJson: false, wrap: envelope, isHttp1: true },
    { protocol: "gRPC", headers: grpc, isJson: false, wrap: envelope, isHttp1: false },
  ];
  const everyWay = protocols.flatMap(({ isHttp1, ...rest }) =>
    versions.slice(isHttp1 ? 0 : 1).map((version) => ({ ...rest, ...version })),
  );

  for (const { protocol, version, headers, isJson, wrap, send } of everyWay) {
    it(`may be 65,536 bytes and no more: ${protocol} over ${version}`, async (t) => {
      const api = await startApi(t);
      count(api.store, alice, 5);
      const request = (length: number) => ({
        path: paths.queryStats,
        headers,
        body: wrap(requestOf(length, isJson)),
      });
      assert.equal(requestOf(maxBytes, isJson).length, maxBytes);
      const served = await send(api.port, request(maxBytes));
      assert.equal(served.status, 200);
      const refused = await send(api.port, request(maxBytes + 1));
      assert.match(statusOf(refused), /^(8|resource_exhausted)$/);
      assert.deepEqual(valuesOf(api.store), { [alice]: 5n });
    });
  }

  for (const { protocol, headers, isJson, wrap } of protocols) {
    it(`does not keep a caller waiting who is still sending: ${protocol} over HTTP/2`, async (t) => {
      const api = await startApi(t);
      const stream = openStream(openSession(t, api.port), { path: paths.queryStats, headers });
      const head = isJson || headers === proto ? Buffer.alloc(0) : envelope(Buffer.alloc(0));
      if (head.length > 0) head.writeUInt32BE(100_000_000, 1);
      stream.write(wrap === envelope ? head : " ");
      // Nobody would take so much: the client is stuck until it is told.
      for (let index = 0; index < 50; index++) stream.write(Buffer.alloc(100_000, " "));
      const answer = await withTimeout(readAnswer(stream), 1_000, "an answer");
      assert.match(statusOf(answer), /^(8|resource_exhausted)$/);
      await withTimeout(closed(stream), 1_000, "the stream's end");
      assert.equal(stream.rstCode, 0);
    });
  }

  for (const { protocol, headers, wrap } of protocols.filter(({ isHttp1 }) => isHttp1)) {
    for (const { what, lengthHeader, frame } of [
      { what: "with a length", lengthHeader: "Content-Length: 5000005", frame: (bytes: Buffer) => [bytes] },
      {
        what: "in chunks",
        lengthHeader: "Transfer-Encoding: chunked",
        frame: (bytes: Buffer) => [`${bytes.length.toString(16)}\r\n`, bytes, "\r\n"],
      },
    ]) {
      it(`does not stop a caller who is still sending: ${protocol} over HTTP/1.1, ${what}`, async (t) => {
        const api = await startApi(t);
        const head = Buffer.from([0, 0xff, 0xff, 0xff, 0xff]);
        const start = wrap === envelope ? head : Buffer.alloc(5, " ");
        const raw = await openRaw(
          t,
          api.port,
          `POST ${paths.queryStats} HTTP/1.1\r\nHost: localhost\r\n${lengthHeader}\r\nContent-Type: ${headers["content-type"]}\r\n\r\n`,
          ...frame(start),
          ...frame(Buffer.alloc(100_000, " ")),
        );
        await withTimeout(raw.received("\r\n\r\n"), 1_000, "an answer");
        assert.match(raw.text, wrap === envelope ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 429 /);
        for (let index = 1; index < 50; index++) raw.send(...frame(Buffer.alloc(100_000, " ")));
        raw.send(lengthHeader.startsWith("T") ? "0\r\n\r\n" : "", http1Text({ path: "/next" }));
        assert.match(
          await withTimeout(raw.received("HTTP/1.1 404"), 2_000, "the next answer"),
          /exhausted|grpc-status: ?8/,
        );
      });
    }
  }

  for (const way of ways.slice(1)) {
    it(`is refused to a real client in its own words: ${way.way}`, async (t) => {
      const api = await startApi(t);
      count(api.store, alice, 5);
      const opened = way.open(api);
      t.after(() => {
        opened.close();
      });
      const client = new StatsClient(opened.call, services[0]);
      const long = client.query({ patterns: ["x".repeat(2_000_000)], reset: true });
      const { code } = await withTimeout(failureOf(long), 2_000, "an answer");
      assert.equal(code, Code.ResourceExhausted);
      assert.equal(Code.ResourceExhausted, 8);
      assert.deepEqual(await client.query({ reset: true }), [[alice, 5n]]);
    });

    it(`has room for 500 patterns: ${way.way}`, async (t) => {
      const api = await startApi(t);
      const names = Array.from({ length: 500 }, (_, index) =>
        userUplink(`${"long".repeat(20)}${index}@example.com`),
      );
      for (const name of names) count(api.store, name, 1);
      count(api.store, alice, 5);
      const opened = way.open(api);
      t.after(() => {
        opened.close();
      });
      const client = new StatsClient(opened.call, services[0]);
      const listed = await client.query({ patterns: names, reset: true });
      assert.equal(listed.length, 500);
      assert.equal(await client.get(alice), 5n);
    });
  }

  it("is for the server's owner to choose", async (t) => {
    const api = await startApi(t, { maxRequestBytes: 50 });
    count(api.store, alice, 5);
    const send = async (name: string): Promise<HttpAnswer> =>
      sendHttp1(api.port, { path: paths.getStats, headers: json, body: JSON.stringify({ name }) });
    assert.equal((await send(alice)).status, 200);
    assert.equal((await send("x".repeat(50))).status, 429);
  });
});

describe("createCallHandler()", { timeout: 20_000 }, () => {
  it("says `internal error` and no more when a call fails unexpectedly", async (t) => {
    const port = await startHandler(t, (router) =>
      router.service(StatsService, {
        getStats: () => {
          throw new Error("secret");
        },
      }),
    );
    for (const { send } of versions) {
      const answer = await send(port, { path: paths.getStats, headers: json, body: "{}" });
      assert.equal(answer.status, 500);
      assert.equal(statusOf(answer), "internal");
      assert.doesNotMatch(answer.body.toString(), /secret/);
    }
    const answer = await sendHttp2(port, {
      path: paths.getStats,
      headers: grpc,
      body: envelope(Buffer.alloc(0)),
    });
    assert.equal(statusOf(answer), "13");
    assert.equal(answer.trailers["grpc-message"], "internal error");
  });

  it("answers UNIMPLEMENTED for a method of a known service without code", async (t) => {
    const port = await startHandler(t, (router) => router.service(StatsService, {}));
    const answer = await sendHttp2(port, {
      path: paths.getSysStats,
      headers: grpc,
      body: envelope(Buffer.alloc(0)),
    });
    assert.equal(statusOf(answer), "12");
  });

  it("hands errors' messages to gRPC clients as they are", async (t) => {
    const message = "a@b: 50% of «x», nothing/else?";
    const port = await startHandler(t, (router) =>
      router.service(StatsService, {
        getStats: () => {
          throw new ConnectError(message, Code.FailedPrecondition);
        },
      }),
    );
    const answer = await sendHttp2(port, {
      path: paths.getStats,
      headers: grpc,
      body: envelope(Buffer.alloc(0)),
    });
    assert.equal(answer.trailers["grpc-message"], "a@b: 50%25 of %C2%ABx%C2%BB, nothing/else?");
  });

  it("tells a call that its caller is gone", async (t) => {
    const reasons: unknown[] = [];
    const port = await startHandler(t, (router) =>
      router.service(StatsService, {
        getStats: async (_request, { signal }) => {
          await new Promise((resolve) => {
            signal.addEventListener("abort", resolve);
          });
          reasons.push(signal.reason);
          return {};
        },
      }),
    );
    const { socket } = await openRaw(t, port, http1Text({ path: paths.getStats, headers: json, body: "{}" }));
    await turns(10);
    socket.resetAndDestroy();
    await until(() => reasons.length === 1);
    const stream = openStream(openSession(t, port), { path: paths.getStats, headers: grpc });
    stream.on("error", () => undefined);
    stream.end(envelope(Buffer.alloc(0)));
    await event(stream, "ready");
    await turns(10);
    stream.close(8);
    await until(() => reasons.length === 2);
    assert.ok(reasons.every((reason) => reason instanceof Error));
  });

  it("answers while many requests come at once, each its own", async (t) => {
    const api = await startApi(t);
    const session = openSession(t, api.port);
    for (let index = 0; index < 100; index++) count(api.store, userUplink(`user${index}`), index + 1);
    const values = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const stream = openStream(session, { path: paths.getStats, headers: grpc });
        stream.end(envelope(getStatsRequest({ name: userUplink(`user${index}`), reset: true })));
        const { body } = await readAnswer(stream);
        return getStatsValue(envelopesOf(body)[0]?.data ?? Buffer.alloc(0));
      }),
    );
    assert.deepEqual(
      values,
      values.map((_, index) => BigInt(index + 1)),
    );
  });
});

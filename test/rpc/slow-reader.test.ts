import assert from "node:assert/strict";
import { once } from "node:events";
import { constants } from "node:http2";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { NodeHandler } from "../../src/rpc/node-http.js";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { createRefusalTally } from "../../src/rpc/refusal-tally.js";
import { paths, startApi } from "../helpers/api-server.js";
import { preface } from "../helpers/http2-frames.js";
import {
  headerBlock,
  http1Text,
  http2Frame,
  openSession,
  openStream,
  sendHttp1,
} from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import { closed, until } from "../helpers/timing.js";

const io = { timeout: 20_000 };
const json = { "content-type": "application/json" };
/** More than a socket holds, in the kernel and here. */
const largeBytes = 16 * 2 ** 20;

/** A server that tells which answers have ended, however they did. */
async function start(t: TestContext, answer: NodeHandler) {
  const refusals = createRefusalTally();
  const counts = { begun: 0, ended: 0 };
  const server = new OnePortServer({
    onRequest: (request, response) => {
      counts.begun += 1;
      response.once("close", () => (counts.ended += 1));
      request.resume();
      answer(request, response);
    },
    ...{ limits: { answerTimeoutMs: 200 }, refusals },
  });
  closeAfter(t, server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return { server, port, refusals, counts };
}

/** A client who says that and reads nothing. */
async function openStill(t: TestContext, port: number, ...pieces: readonly (string | Buffer)[]) {
  const socket = connect({ port, host: "127.0.0.1" });
  closeAfter(t, socket);
  socket.pause();
  await once(socket, "connect");
  for (const piece of pieces) socket.write(piece);
  return socket;
}

describe("an answer of which nothing is taken", io, () => {
  const secrets = [{ name: "panel", secret: "panel-s3cret" }];
  for (const [what, request] of [
    ["a refusal for want of a secret", { path: "/metrics", method: "GET" }],
    [
      "a refusal of a foreign host",
      { path: "/metrics", method: "GET", headers: { origin: "https://a.test" } },
    ],
    ["a refusal of what there is not", { path: "/x", headers: { authorization: "Bearer panel-s3cret" } }],
    ["a page", { path: "/metrics", method: "GET", headers: { authorization: "Bearer panel-s3cret" } }],
    ["a health check", { path: "/grpc.health.v1.Health/Check", headers: json, body: "{}" }],
    [
      "a call",
      { path: paths.getSysStats, headers: { ...json, authorization: "Bearer panel-s3cret" }, body: "{}" },
    ],
    [
      "a call that comes in binary",
      {
        ...{ path: paths.getSysStats, body: "" },
        headers: { "content-type": "application/proto", authorization: "Bearer panel-s3cret" },
      },
    ],
  ] as const) {
    it(`ends the HTTP/2 stream of ${what}, and its connection goes on`, async (t) => {
      const api = await startApi(t, { secrets, answerTimeoutMs: 200 });
      const session = openSession(t, api.port, { initialWindowSize: 0 });
      const stream = openStream(session, request);
      stream.on("error", () => undefined);
      stream.end("body" in request ? request.body : "");
      stream.resume();
      await closed(stream);
      assert.equal(stream.rstCode, constants.NGHTTP2_INTERNAL_ERROR);
      await new Promise((resolve) => session.ping(resolve));
      const answer = await sendHttp1(api.port, {
        ...{ path: "/metrics", method: "GET", headers: { authorization: "Bearer panel-s3cret" } },
      });
      assert.match(answer.body.toString(), /refused_requests_total{reason="slow_reader"} 1\n/);
    });
  }

  it("is watched once where a stream was taken and handed over", async (t) => {
    const refusals = createRefusalTally();
    const server = new OnePortServer({
      onRequest: (request, response) => {
        request.resume();
        response.end("some");
      },
      onStream: (stream, _head, handOver) => {
        stream.once("end", handOver).resume();
        return true;
      },
      ...{ limits: { answerTimeoutMs: 200 }, refusals },
    });
    closeAfter(t, server);
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    const stream = openStream(openSession(t, port, { initialWindowSize: 0 }), { path: "/" });
    stream.on("error", () => undefined);
    stream.end();
    await once(stream, "response");
    await closed(stream.resume());
    assert.equal(refusals.slow_reader, 1);
  });

  it("ends its HTTP/1.1 connection, with all the answers that wait behind it", async (t) => {
    const { server, port, refusals, counts } = await start(t, (_, response) => {
      response.end(Buffer.alloc(largeBytes));
    });
    const socket = await openStill(t, port, http1Text({ path: "/" }).repeat(3));
    await until(() => server.connectionCount === 0);
    assert.equal(counts.begun, 3);
    assert.equal(refusals.slow_reader >= 1, true);
    socket.resume();
    await closed(socket);
  });

  it("ends its HTTP/2 session where the client takes nothing at all", async (t) => {
    const { port, refusals, counts } = await start(t, (_, response) => {
      response.end(Buffer.alloc(largeBytes));
    });
    const most = Buffer.from([0x7f, 0xff, 0, 0]);
    const request = headerBlock({
      ":method": "GET",
      ":scheme": "http",
      ":path": "/",
      ":authority": "localhost",
    });
    const socket = await openStill(
      t,
      port,
      preface,
      http2Frame(0x4, 0, 0, Buffer.concat([Buffer.from([0, 4]), most])),
      http2Frame(0x8, 0, 0, most),
      ...[1, 3, 5].map((id) => http2Frame(0x1, 0x5, id, request)),
    );
    await until(() => counts.ended === 3);
    assert.equal(counts.begun, 3);
    assert.equal(refusals.slow_reader, 3);
    socket.destroy();
  });
});

import assert from "node:assert/strict";
import { constants, type ClientHttp2Session } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { FailureBrake } from "../../src/net/failure-brake.js";
import { guard } from "../../src/rpc/guard.js";
import type { NodeResponse } from "../../src/rpc/node-http.js";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { createRefusalTally } from "../../src/rpc/refusal-tally.js";
import { guardStreams } from "../../src/rpc/stream-guard.js";
import { TrustedConnections } from "../../src/rpc/trusted-connections.js";
import {
  http1Text,
  openRaw,
  openSession,
  openStream,
  readAnswer,
  sendOnSession,
  sessionClosed,
} from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import { failed, until } from "../helpers/timing.js";
import { openSocket } from "../helpers/tls-port.js";

const io = { timeout: 20_000 };
const secrets = [{ name: "panel", secret: "s3cret", reset: true }];
const right = { path: "/right", headers: { authorization: "Bearer s3cret" } };
const wrong = { path: "/wrong", headers: { authorization: "Bearer guess" } };

interface CutOptions {
  /** Default: one that has no place. */
  readonly brake?: Pick<FailureBrake, "schedule">;
  /** Gives the answers. Default: at once. */
  readonly answer?: (response: NodeResponse) => void;
}

/** A server where no wrong secret is answered. */
async function startFull(
  t: TestContext,
  { brake = { schedule: () => undefined }, answer = (response) => response.end("ok") }: CutOptions = {},
) {
  const refusals = createRefusalTally();
  const options = { listenHost: "127.0.0.1", secrets, brake, refusals };
  const onRequest = guard((_, response) => {
    answer(response);
  }, options);
  const server = new OnePortServer({ onRequest, refusals });
  closeAfter(t, server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return { port, refusals, server };
}

/** What the client is told at the end of its session. */
async function goawayOf(session: ClientHttp2Session): Promise<number> {
  return new Promise((resolve) => session.once("goaway", resolve));
}

describe("wrong secrets where too many wait, over HTTP/2", io, () => {
  it("end the session, which is told to calm down", async (t) => {
    const { port, server } = await startFull(t);
    const session = openSession(t, port);
    const goaway = goawayOf(session);
    const sent = [1, 2, 3].map(async () => sendOnSession(session, wrong));
    for (const { status } of await Promise.allSettled(sent)) assert.equal(status, "rejected");
    assert.equal(await goaway, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    await sessionClosed(session);
    await until(() => server.connectionCount === 0);
  });

  it("are the last that is looked at, whatever came with them", async (t) => {
    const { port, refusals } = await startFull(t);
    const session = openSession(t, port);
    const sent = [wrong, right, wrong].map(async (request) => sendOnSession(session, request));
    for (const { status } of await Promise.allSettled(sent)) assert.equal(status, "rejected");
    assert.equal(refusals.too_many_wrong_secrets, 1);
  });

  it("end nothing but their stream where a right one has come by a stream of which no request was made", async (t) => {
    const refusals = createRefusalTally();
    const whom = { listenHost: "127.0.0.1", secrets, trusted: new TrustedConnections() };
    const server = new OnePortServer({
      onRequest: guard((_, response) => response.end(), {
        ...{ ...whom, refusals, brake: { schedule: () => undefined } },
      }),
      onStream: guardStreams((stream, _headers, admit) => {
        if (admit() === undefined) return false;
        stream.respond({ ":status": 204 }, { endStream: true });
        return true;
      }, whom),
    });
    closeAfter(t, server);
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    const session = openSession(t, port);
    assert.equal((await sendOnSession(session, right)).status, 204);
    await assert.rejects(sendOnSession(session, wrong));
    assert.equal((await sendOnSession(session, right)).status, 204);
    assert.equal(refusals.too_many_wrong_secrets, 1);
  });

  it("end nothing but their stream where a right one has come before, however many there are", async (t) => {
    const held: NodeResponse[] = [];
    const { port, refusals } = await startFull(t, { answer: (response) => held.push(response) });
    const session = openSession(t, port);
    const first = sendOnSession(session, right);
    await until(() => held.length === 1);
    // More than a connection may cancel in a minute.
    for (let count = 0; count < 250; count++) {
      const stream = openStream(session, wrong);
      stream.end();
      await assert.rejects(readAnswer(stream));
      assert.equal(stream.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    }
    const last = sendOnSession(session, right);
    await until(() => held.length === 2);
    for (const response of held) response.end("ok");
    for (const answer of [first, last]) assert.equal((await answer).body.toString(), "ok");
    assert.deepEqual(refusals, { ...createRefusalTally(), too_many_wrong_secrets: 250 });
  });

  it("hold nothing of what else they send", async (t) => {
    const { port, server } = await startFull(t);
    const session = openSession(t, port);
    assert.equal((await sendOnSession(session, right)).status, 200);
    const body = Buffer.alloc(40_000);
    for (let count = 0; count < 10; count++) await assert.rejects(sendOnSession(session, { ...wrong, body }));
    assert.equal((await sendOnSession(session, right)).status, 200);
    session.close();
    await sessionClosed(session);
    await until(() => server.connectionCount === 0);
  });

  it("cost a connection each once the places are taken, and to cancel makes no room", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const brake = new FailureBrake({ freeCount: 0, maxWaitingPerSource: 2 });
    const { port, refusals } = await startFull(t, { brake });
    const session = openSession(t, port);
    const streams = [wrong, wrong].map((request) => openStream(session, request));
    const answers = streams.map(readAnswer);
    await until(() => refusals.no_secret === 2);
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
    await Promise.allSettled(answers);
    const another = openSession(t, port);
    const goaway = goawayOf(another);
    await assert.rejects(sendOnSession(another, wrong));
    assert.equal(await goaway, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    const later = openSession(t, port);
    assert.equal((await sendOnSession(later, right)).status, 200);
    t.mock.timers.tick(2_000);
    const answer = sendOnSession(later, wrong);
    await until(() => refusals.no_secret === 3);
    t.mock.timers.tick(2_000);
    assert.equal((await answer).status, 401);
  });
});

describe("wrong secrets where too many wait, over HTTP/1.1", io, () => {
  it("reset the connection", async (t) => {
    const { port } = await startFull(t);
    const socket = await openSocket(t, port);
    const error = failed(socket);
    socket.write(http1Text(wrong));
    assert.equal((await error).code, "ECONNRESET");
  });

  it("are the last that is looked at, whatever came with them", async (t) => {
    const { port, refusals } = await startFull(t);
    const socket = await openSocket(t, port);
    const error = failed(socket);
    socket.write([wrong, right, wrong].map(http1Text).join(""));
    assert.equal((await error).code, "ECONNRESET");
    assert.equal(refusals.too_many_wrong_secrets, 1);
  });

  it("end a connection by which a right one has come behind the answers that are due", async (t) => {
    const held: NodeResponse[] = [];
    const { port, refusals } = await startFull(t, { answer: (response) => held.push(response) });
    const connection = await openRaw(t, port, http1Text(right), http1Text(right), http1Text(wrong));
    await until(() => held.length === 2 && refusals.too_many_wrong_secrets === 1);
    for (const response of held) response.end("ok");
    const text = await connection.closed();
    assert.equal(text.split("HTTP/1.1 200 OK").length, 3);
    assert.doesNotMatch(text, /HTTP\/1\.1 4/);
  });

  it("take nothing from the answers that are due, however much they bring", async (t) => {
    const held: NodeResponse[] = [];
    const { port, refusals } = await startFull(t, { answer: (response) => held.push(response) });
    const long = http1Text({ ...wrong, body: "x".repeat(1_000_000) });
    const connection = await openRaw(t, port, http1Text(right), long);
    await until(() => held.length === 1 && refusals.too_many_wrong_secrets === 1);
    // As much as the kernel takes at once, and the client has not read then.
    held[0]?.end("a".repeat(4_000_000));
    const text = await connection.closed();
    assert.equal(text.split("\r\n\r\n")[1]?.length, 4_000_000);
  });

  it("end a connection by which a right one was answered before", async (t) => {
    const { port } = await startFull(t);
    const connection = await openRaw(t, port, http1Text(right));
    await connection.received("ok");
    connection.send(http1Text(wrong));
    const text = await connection.closed();
    assert.equal(text.split("HTTP/1.1 ").length, 2);
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import type { ClientHttp2Stream, ServerHttp2Stream } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import type { ApiLimits } from "../../src/rpc/api-limits.js";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { createRefusalTally } from "../../src/rpc/refusal-tally.js";
import { createRequestGate } from "../../src/rpc/request-gate.js";
import { guardStreams } from "../../src/rpc/stream-guard.js";
import { envelope } from "../helpers/grpc.js";
import { codeOf, startLimited } from "../helpers/limited-api.js";
import { paths } from "../helpers/api-server.js";
import {
  openSession,
  openStream,
  readAnswer,
  sendHttp2,
  sendOnSession,
  versions,
  type HttpRequest,
} from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import { until } from "../helpers/timing.js";

const secrets = [{ name: "panel", secret: "panel-s3cret", reset: true }];
const withSecret = { authorization: "Bearer panel-s3cret" };
const json = { "content-type": "application/json" };
const sys: HttpRequest = { path: paths.getSysStats, headers: { ...json, ...withSecret }, body: "{}" };
const watch = {
  path: "/grpc.health.v1.Health/Watch",
  headers: { "content-type": "application/grpc", te: "trailers" },
};
const firstQuestion = envelope(Buffer.alloc(0));

/** Opens that many streams on a connection whose client takes nothing of any answer but its head. */
async function openStill(t: TestContext, port: number, requests: readonly HttpRequest[]): Promise<void> {
  const session = openSession(t, port, { initialWindowSize: 0 });
  const heads = requests.map(async (request) => {
    const stream = openStream(session, request);
    stream.on("error", () => undefined);
    stream.end(request.body ?? "");
    await once(stream, "response");
  });
  await Promise.all(heads);
}

describe("the gate of requests", { timeout: 20_000 }, () => {
  for (const { version, send } of versions) {
    it(`keeps no place for those whom the guard turns away, though they take no answer: ${version}`, async (t) => {
      const api = await startLimited(t, { secrets, maxCalls: 4, maxCallsPerConnection: 8 });
      await openStill(t, api.port, [
        ...Array.from({ length: 4 }, () => ({ path: "/metrics", method: "GET" })),
        ...Array.from({ length: 4 }, () => ({ path: paths.getSysStats, headers: json, body: "{}" })),
      ]);
      assert.equal(codeOf(await send(api.port, sys)), "ok");
    });

    it(`keeps those without a secret to places of their own: ${version}`, async (t) => {
      const api = await startLimited(t, { secrets, maxCalls: 8 });
      const session = openSession(t, api.port);
      const open = (): ClientHttp2Stream => openStream(session, watch).end(firstQuestion);
      await Promise.all([once(open(), "response"), once(open(), "response")]);
      const third = await readAnswer(open());
      assert.equal(codeOf(third), "unavailable");
      assert.equal(
        third.headers["grpc-message"],
        "2 requests without a secret from one address are running already; try again",
      );
      assert.equal(codeOf(await send(api.port, sys)), "ok");
    });

    it(`takes as many as may be of those with a secret, whoever watches without one: ${version}`, async (t) => {
      const api = await startLimited(t, { secrets, maxCalls: 4 });
      await openStill(t, api.port, [{ ...watch, body: firstQuestion }]);
      const mine = { ...watch, headers: { ...watch.headers, ...withSecret }, body: firstQuestion };
      await openStill(t, api.port, [mine, mine, mine, mine]);
      const answer = await send(api.port, sys);
      assert.equal(codeOf(answer), "unavailable");
      assert.match(answer.body.toString(), /"4 requests are running already; try again"/);
    });
  }
});

interface Taken {
  readonly stream: ServerHttp2Stream;
  readonly handOver: () => void;
}

/** A server that takes the streams that it admits to `/taken`, and keeps them; its requests are answered at once. */
async function startTaking(t: TestContext, limits: ApiLimits) {
  const taken: Taken[] = [];
  const refusals = createRefusalTally();
  const gate = createRequestGate({ limits, refusals });
  const server = new OnePortServer({
    onRequest: gate.beforeRequests((_, response) => response.end("a request")),
    onStream: guardStreams(
      gate.beforeStreams((stream, headers, admit, handOver) => {
        if (headers[":path"] !== "/taken" || admit() === undefined) return false;
        stream.on("error", () => undefined);
        taken.push({ stream, handOver });
        return true;
      }),
      { listenHost: "127.0.0.1", secrets },
    ),
    limits,
    refusals,
  });
  closeAfter(t, server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  /** Has a stream taken on a connection of its own. */
  const take = async () => {
    const session = openSession(t, port);
    const stream = openStream(session, { path: "/taken", headers: withSecret });
    stream.on("error", () => undefined);
    stream.end();
    const count = taken.length;
    await until(() => taken.length > count);
    return { session, stream };
  };
  return { port, taken, refusals, take };
}

describe("the gate of requests, before streams", { timeout: 20_000 }, () => {
  it("counts those that are taken among all that are running, until they close", async (t) => {
    const { port, taken, refusals, take } = await startTaking(t, { maxCalls: 2 });
    const [first] = [await take(), await take()];
    const beyond = await sendHttp2(port, { path: "/taken", headers: withSecret });
    assert.equal(beyond.status, 503);
    assert.equal(refusals.too_many_calls, 1);
    assert.equal(taken.length, 2);
    first.stream.close();
    await once(first.stream, "close");
    await sendOnSession(first.session, { path: "/other" });
    assert.equal((await sendHttp2(port, { path: "/other" })).status, 200);
  });

  it("keeps no place for those whom the guard does not let pass", async (t) => {
    const { port, taken, take } = await startTaking(t, { maxCalls: 1 });
    const stranger = openStream(openSession(t, port), { path: "/taken" });
    stranger.on("error", () => undefined).end();
    assert.equal((await readAnswer(stranger)).body.toString(), "a request");
    await take();
    assert.equal(taken.length, 1);
  });

  it("lets those go whose connection is lost", async (t) => {
    const { port, taken, take } = await startTaking(t, { maxCalls: 1 });
    const { session } = await take();
    session.destroy();
    await until(() => taken[0]?.stream.destroyed === true);
    assert.equal((await sendHttp2(port, { path: "/other" })).status, 200);
  });

  it("lets one go that is handed over, which counts as a request from then on", async (t) => {
    const { port, taken, take } = await startTaking(t, { maxCalls: 1 });
    const { stream } = await take();
    taken[0]?.handOver();
    const { status, body } = await readAnswer(stream);
    assert.deepEqual([status, body.toString()], [200, "a request"]);
    assert.equal((await sendHttp2(port, { path: "/other" })).status, 200);
  });
});

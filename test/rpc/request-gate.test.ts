import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerHttp2Stream } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import type { ApiLimits } from "../../src/rpc/api-limits.js";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { createRefusalTally } from "../../src/rpc/refusal-tally.js";
import { openSession, openStream, readAnswer, sendHttp2, sendOnSession } from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import { until } from "../helpers/timing.js";

interface Taken {
  readonly stream: ServerHttp2Stream;
  readonly handOver: () => void;
}

/** A server that takes the streams to `/taken`, and keeps them; its requests are answered at once. */
async function start(t: TestContext, limits: ApiLimits) {
  const taken: Taken[] = [];
  const shown: (string | undefined)[] = [];
  const refusals = createRefusalTally();
  const server = new OnePortServer({
    onRequest: (_, response) => response.end("a request"),
    onStream: (stream, { headers }, handOver) => {
      shown.push(headers[":path"]);
      if (headers[":path"] !== "/taken") return false;
      stream.on("error", () => undefined);
      taken.push({ stream, handOver });
      return true;
    },
    limits,
    refusals,
  });
  closeAfter(t, server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  /** Has a stream taken on a connection of its own. */
  const take = async () => {
    const session = openSession(t, port);
    const stream = openStream(session, { path: "/taken" });
    stream.on("error", () => undefined);
    stream.end();
    const count = taken.length;
    await until(() => taken.length > count);
    return { session, stream };
  };
  return { port, taken, shown, refusals, take };
}

describe("the gate of requests, before streams", { timeout: 20_000 }, () => {
  it("counts those that are taken among all that are running, until they close", async (t) => {
    const { port, shown, refusals, take } = await start(t, { maxCalls: 2 });
    const [first] = [await take(), await take()];
    const beyond = await sendHttp2(port, { path: "/taken" });
    assert.equal(beyond.status, 503);
    assert.equal(refusals.too_many_calls, 1);
    assert.deepEqual(shown, ["/taken", "/taken"]);
    first.stream.close();
    await once(first.stream, "close");
    await sendOnSession(first.session, { path: "/other" });
    assert.equal((await sendHttp2(port, { path: "/other" })).status, 200);
  });

  it("lets those go whose connection is lost", async (t) => {
    const { port, taken, take } = await start(t, { maxCalls: 1 });
    const { session } = await take();
    session.destroy();
    await until(() => taken[0]?.stream.destroyed === true);
    assert.equal((await sendHttp2(port, { path: "/other" })).status, 200);
  });

  for (const { what, limits, headers } of [
    { what: "too many headers", limits: { maxHeaders: 10 }, headers: manyHeaders(11) },
    { what: "too large a head", limits: { maxHeaderBytes: 500 }, headers: { "x-long": "x".repeat(500) } },
  ]) {
    it(`does not show those with ${what}, which are refused as requests`, async (t) => {
      const { port, shown, refusals } = await start(t, limits);
      const answer = await sendHttp2(port, { path: "/taken", headers });
      assert.equal(answer.status, 431);
      assert.equal(refusals.large_headers, 1);
      assert.deepEqual(shown, []);
    });
  }

  it("lets one go that is handed over, which counts as a request from then on", async (t) => {
    const { port, taken, take } = await start(t, { maxCalls: 1 });
    const { stream } = await take();
    taken[0]?.handOver();
    const { status, body } = await readAnswer(stream);
    assert.deepEqual([status, body.toString()], [200, "a request"]);
    assert.equal((await sendHttp2(port, { path: "/other" })).status, 200);
  });

  it("lets those go that are not taken", async (t) => {
    const { port, shown } = await start(t, { maxCalls: 1 });
    const session = openSession(t, port);
    for (let round = 0; round < 3; round++) {
      assert.equal((await sendOnSession(session, { path: "/other" })).status, 200);
    }
    assert.deepEqual(shown, ["/other", "/other", "/other"]);
  });
});

function manyHeaders(length: number): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length }, (_, index) => [`x-${index}`, ""]));
}

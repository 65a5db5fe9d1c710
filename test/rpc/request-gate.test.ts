import assert from "node:assert/strict";
import { once } from "node:events";
import type { ClientHttp2Stream } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { envelope } from "../helpers/grpc.js";
import { codeOf, startLimited } from "../helpers/limited-api.js";
import { paths } from "../helpers/api-server.js";
import { openSession, openStream, readAnswer, versions, type HttpRequest } from "../helpers/raw-http.js";

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

describe("gate()", { timeout: 20_000 }, () => {
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

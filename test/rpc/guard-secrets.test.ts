import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { cors } from "@connectrpc/connect";
import { StatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { FailureBrake } from "../../src/net/failure-brake.js";
import { ApiServer } from "../../src/rpc/api-server.js";
import { guard } from "../../src/rpc/guard.js";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { createRefusalTally } from "../../src/rpc/refusal-tally.js";
import { count, paths, startApi, userUplink, valuesOf, type TestApi } from "../helpers/api-server.js";
import { messageOf, protocols } from "../helpers/call-protocols.js";
import { firstPort } from "../helpers/first-port.js";
import {
  http1Text,
  openRaw,
  openSession,
  openStream,
  RawConnection,
  readAnswer,
  sendHttp2,
  sendOnSession,
  versions,
} from "../helpers/raw-http.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { closeAfter } from "../helpers/sockets.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { until } from "../helpers/timing.js";

const alice = userUplink("alice");
const allowed = "https://panel.example";
const secrets = [
  { name: "panel", secret: "panel-s3cret", reset: true },
  { name: "grafana", secret: "grafana-s3cret", reset: false },
];
const grafana = { name: "grafana", mayReset: false };
const json = { "content-type": "application/json" };
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });
const health = "/grpc.health.v1.Health/Check";
const usersStats = "/xray.app.stats.command.StatsService/GetUsersStats";
const reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

/** A server with secrets and a counter of 5 bytes. */
async function startSecret(t: TestContext, logger?: RecordingLogger): Promise<TestApi> {
  const api = await startApi(t, { secrets, allowedOrigins: [allowed], ...(logger && { logger }) });
  count(api.store, alice, 5);
  return api;
}

/** A call as each protocol puts it. */
const getStats = (json: { readonly name: string; readonly reset: boolean }) =>
  messageOf(StatsService.method.getStats.input, json);

const wrong: readonly (readonly [what: string, headers: Readonly<Record<string, string>>])[] = [
  ["nothing", {}],
  ["a wrong secret", bearer("guess")],
  ["the beginning of one", bearer("panel-s3cre")],
  ["one and more", bearer("panel-s3cret2")],
  ["an empty one", bearer("")],
  ["the name of one", bearer("panel")],
  ["Basic", { authorization: `Basic ${Buffer.from("panel:panel-s3cret").toString("base64")}` }],
];

for (const { version, send } of versions) {
  for (const { protocol, headers: ofProtocol, body, codeOf } of protocols) {
    describe(`the secrets of the API, by ${protocol} over ${version}`, { timeout: 20_000 }, () => {
      const headersOf = (more: Readonly<Record<string, string>>) => ({ ...ofProtocol, ...more });

      for (const [what, headers] of wrong) {
        it(`keep out who comes with ${what}, and nothing is reset`, async (t) => {
          const api = await startSecret(t);
          const request = { path: paths.getStats, body: body(getStats({ name: alice, reset: true })) };
          const answer = await send(api.port, { ...request, headers: headersOf(headers) });
          assert.equal(codeOf(answer), "16");
          assert.doesNotMatch(JSON.stringify(answer.headers) + answer.body.toString(), /s3cret|guess/);
          assert.deepEqual(valuesOf(api.store), { [alice]: 5n });
        });
      }

      it("let in who has one, under any Host, and reset who may", async (t) => {
        const api = await startSecret(t);
        const ask = async (secret: string, reset: boolean) => {
          const host = version === "HTTP/2" ? ":authority" : "host";
          const headers = headersOf({ ...bearer(secret), [host]: "api.example" });
          return codeOf(
            await send(api.port, {
              path: paths.getStats,
              headers,
              body: body(getStats({ name: alice, reset })),
            }),
          );
        };
        assert.equal(await ask("grafana-s3cret", false), "0");
        assert.equal(await ask("grafana-s3cret", true), "7");
        assert.deepEqual(valuesOf(api.store), { [alice]: 5n });
        assert.equal(await ask("panel-s3cret", true), "0");
        assert.deepEqual(valuesOf(api.store), { [alice]: 0n });
      });
    });
  }

  describe(`the secrets of the API over ${version}`, { timeout: 20_000 }, () => {
    const hostHeader = version === "HTTP/2" ? ":authority" : "host";

    it("are asked for at every path but health's", async (t) => {
      for (const path of ["/", "/metrics", "/scrape", "/debug/vars", "/unknown", reflection, usersStats]) {
        // Each has a server of its own, lest the answers to the last ones be late.
        const api = await startSecret(t);
        for (const method of ["GET", "POST", "OPTIONS"]) {
          const answer = await send(api.port, { method, path });
          assert.equal(answer.status, 401, `${method} ${path}`);
          assert.equal(answer.headers["www-authenticate"], "Bearer");
          assert.match(answer.body.toString(), /^\{"code":"unauthenticated","message":"a secret is needed: /);
        }
      }
      const api = await startSecret(t);
      for (const [path, start] of [
        ["/metrics", "# HELP "],
        ["/debug/vars", "{"],
      ] as const) {
        const answer = await send(api.port, { method: "GET", path, headers: bearer("grafana-s3cret") });
        assert.equal(answer.body.toString().slice(0, start.length), start);
      }
      const answer = await send(api.port, { path: health, headers: json, body: "{}" });
      assert.equal(answer.body.toString(), '{"status":"SERVING"}');
      for (const path of ["/grpc.health.v1.HealthX/Check", `/x${health}`, "/grpc.health.v1.Health"]) {
        assert.equal((await send(api.port, { path, headers: json, body: "{}" })).status, 401, path);
      }
    });

    it("do not let a page read health under a name of its own", async (t) => {
      const api = await startSecret(t);
      const headers = { ...json, [hostHeader]: "evil.example" };
      assert.equal((await send(api.port, { path: health, headers, body: "{}" })).status, 403);
      const known = { ...headers, ...bearer("grafana-s3cret") };
      assert.equal((await send(api.port, { path: health, headers: known, body: "{}" })).status, 200);
    });

    for (const [what, more] of [
      ["under its own name", {}],
      ["under a name that is not", { [hostHeader]: "evil.example" }],
      ["for a page of another origin", { origin: "https://evil.example" }],
    ] as const) {
      it(`are not found out by asking for health ${what}: wrong ones are slowed there, too`, async (t) => {
        t.mock.timers.enable({ apis: ["setTimeout"] });
        const logger = new RecordingLogger();
        const api = await startSecret(t, logger);
        const headers = { ...json, ...more };
        const ask = async (credentials: Readonly<Record<string, string>>) =>
          send(api.port, { path: health, headers: { ...headers, ...credentials }, body: "{}" });
        const isSlowed = () =>
          logger.lines.some(({ message }) => message === "wrong secrets are answered late");
        for (let count = 0; count < 10; count++) await ask(bearer("guess"));
        assert.equal(isSlowed(), false);
        const late = ask(bearer("guess"));
        await until(isSlowed);
        // Whoever sends none does not guess.
        const { status } = await ask({});
        t.mock.timers.tick(2_000);
        assert.equal((await late).status, status);
      });
    }

    it("open nothing to the pages of foreign origins", async (t) => {
      const api = await startSecret(t);
      const headers = { ...json, ...bearer("panel-s3cret"), origin: "https://evil.example" };
      const request = { path: paths.getStats, headers, body: JSON.stringify({ name: alice, reset: true }) };
      assert.equal((await send(api.port, request)).status, 403);
      assert.deepEqual(valuesOf(api.store), { [alice]: 5n });
    });

    it("may be sent by the pages of allowed origins, which are told so in words and not by a wildcard", async (t) => {
      const api = await startSecret(t);
      const preflight = {
        origin: allowed,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
        [hostHeader]: "api.example",
      };
      for (const path of [paths.getStats, health, "/metrics"]) {
        const answer = await send(api.port, { method: "OPTIONS", path, headers: preflight });
        assert.equal(answer.status, 204);
        assert.equal(answer.headers["access-control-allow-origin"], allowed);
        assert.equal(
          answer.headers["access-control-allow-headers"],
          [...cors.allowedHeaders, "Authorization"].join(", "),
        );
        assert.equal(answer.headers["access-control-allow-credentials"], undefined);
      }
      const foreign = { ...preflight, origin: "https://evil.example" };
      const refused = await send(api.port, { method: "OPTIONS", path: paths.getStats, headers: foreign });
      assert.equal(refused.status, 403);
      // The page gets to read why it is turned away.
      const unknown = await send(api.port, { path: paths.getStats, headers: { ...json, origin: allowed } });
      assert.equal(unknown.status, 401);
      assert.equal(unknown.headers["access-control-allow-origin"], allowed);
    });

    it("without the right to reset reset nothing, by no call", async (t) => {
      const api = await startSecret(t);
      const headers = { ...json, ...bearer("grafana-s3cret") };
      for (const [path, message] of [
        [paths.getStats, { name: alice, reset: true }],
        [paths.getStats, { name: "unknown", reset: true }],
        [paths.queryStats, { reset: true }],
        [paths.queryStats, { reset: true, patterns: ["matches nothing"] }],
        [paths.queryStats, { reset: true, regexp: true, patterns: ["("] }],
        [usersStats, { reset: true, includeTraffic: true }],
        [usersStats, { reset: true }],
      ] as const) {
        const answer = await send(api.port, { path, headers, body: JSON.stringify(message) });
        assert.equal(
          answer.body.toString(),
          '{"code":"permission_denied","message":"the secret \\"grafana\\" may read but not reset"}',
        );
        assert.equal(answer.status, 403);
      }
      assert.deepEqual(valuesOf(api.store), { [alice]: 5n });
      for (const path of [paths.queryStats, usersStats, paths.getSysStats]) {
        assert.equal((await send(api.port, { path, headers, body: "{}" })).status, 200);
      }
    });
  });
}

describe("an API without secrets", { timeout: 20_000 }, () => {
  it("lets everybody reset, whatever they bring", async (t) => {
    const api = await startApi(t);
    for (const headers of [{}, bearer("anything"), { authorization: "Basic x" }]) {
      count(api.store, alice, 5);
      const body = JSON.stringify({ name: alice, reset: true });
      const answer = await sendHttp2(api.port, {
        path: paths.getStats,
        headers: { ...json, ...headers },
        body,
      });
      assert.equal(answer.status, 200);
      assert.deepEqual(valuesOf(api.store), { [alice]: 0n });
    }
  });
});

describe("wrong secrets, one after the other", { timeout: 20_000 }, () => {
  const guess = { path: paths.getStats, headers: { ...json, ...bearer("guess") }, body: "{}" };
  const right = {
    path: paths.getStats,
    headers: { ...json, ...bearer("grafana-s3cret") },
    body: JSON.stringify({ name: alice }),
  };

  it("are answered at once ten times, and then late, while a right one of the same source never waits", async (t) => {
    // From the beginning, since what is set by one clock cannot be cleared by another.
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const logger = new RecordingLogger();
    const api = await startSecret(t, logger);
    const session = openSession(t, api.port);
    for (let sent = 0; sent < 10; sent++) {
      assert.equal((await sendOnSession(session, guess)).status, 401);
    }
    const late = openStream(session, guess);
    let isAnswered = false;
    late.once("response", () => (isAnswered = true));
    late.end(guess.body);
    const answer = readAnswer(late);
    for (let sent = 0; sent < 20; sent++) {
      assert.equal((await sendOnSession(session, right)).status, 200);
    }
    for (const { send } of versions) assert.equal((await send(api.port, right)).status, 200);
    assert.equal(isAnswered, false);
    t.mock.timers.tick(2_000);
    assert.equal((await answer).status, 401);
    const warnings = logger.lines.filter(({ level }) => level === "warn");
    assert.deepEqual(
      warnings.map(({ message, fields }) => [message, fields]),
      [["wrong secrets are answered late", { source: "127.0.0.1" }]],
    );
    assert.doesNotMatch(JSON.stringify(logger.lines), /s3cret|guess/);
  });

  for (const { version, send } of versions) {
    it(`are not answered where too many wait, and a right one is, over ${version}`, async (t) => {
      const served: unknown[] = [];
      const refusals = createRefusalTally();
      const onRequest = guard((_, response, caller) => (served.push(caller), response.end("ok")), {
        ...{ listenHost: "127.0.0.1", secrets, refusals },
        brake: { schedule: () => undefined },
      });
      const server = new OnePortServer({ onRequest, refusals });
      closeAfter(t, server);
      const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
      for (const headers of [guess.headers, json]) await assert.rejects(send(port, { ...guess, headers }));
      assert.equal((await send(port, right)).body.toString(), "ok");
      assert.deepEqual(served, [grafana]);
      assert.deepEqual(refusals, { ...createRefusalTally(), too_many_wrong_secrets: 2 });
    });
  }

  for (const { version, send } of versions) {
    it(`are answered at once when the server stops, which they do not hold up, over ${version}`, async (t) => {
      // Nobody moves this clock on.
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const refusals = createRefusalTally();
      const stopping = new AbortController();
      const brake = new FailureBrake({
        freeCount: 0,
        onSlowed: () => {
          isSlowed();
        },
      });
      let isSlowed: () => void = () => undefined;
      const slowed = new Promise<void>((resolve) => (isSlowed = resolve));
      const options = { listenHost: "127.0.0.1", secrets, brake, refusals, stopping: stopping.signal };
      const server = new OnePortServer({ onRequest: guard(() => assert.fail(), options) });
      closeAfter(t, server);
      const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
      const answer = send(port, guess);
      await slowed;
      stopping.abort();
      const stopped = server.stop(new AbortController().signal);
      assert.equal((await answer).status, 401);
      await stopped;
      assert.equal(refusals.no_secret, 1);
    });
  }

  it("are logged with where they come from, which on a Unix socket is no address", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const logger = new RecordingLogger();
    const path = join(createTempDir(t).path, "api.sock");
    const server = new ApiServer({ listen: [{ host: "127.0.0.1", port: 0 }, { path }], secrets, logger });
    closeAfter(t, server);
    const port = firstPort(await server.start());
    const sourceOf = async (raw: RawConnection): Promise<unknown> => {
      const before = logger.messages("warn").length;
      raw.send(http1Text({ method: "GET", ...guess }).repeat(11));
      await until(() => logger.messages("warn").length > before);
      return logger.lines.findLast(({ level }) => level === "warn")?.fields;
    };
    const file = connect(path);
    closeAfter(t, file);
    assert.deepEqual(await sourceOf(new RawConnection(file)), { source: "unix" });
    assert.deepEqual(await sourceOf(await openRaw(t, port)), { source: "127.0.0.1" });
  });

  it("do not hold up the stop of an ApiServer", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const logger = new RecordingLogger();
    const api = await startSecret(t, logger);
    const session = openSession(t, api.port);
    for (let sent = 0; sent < 10; sent++) await sendOnSession(session, guess);
    const late = sendOnSession(session, guess);
    await until(() => logger.messages("warn").length === 1);
    const stopped = api.server.stop(new AbortController().signal);
    assert.equal((await late).status, 401);
    await stopped;
  });

  for (const { version, send } of versions) {
    it(`are not answered any more when who sent them has left, over ${version}`, async (t) => {
      let calledOff: () => void = () => undefined;
      const isCalledOff = new Promise<void>((resolve) => (calledOff = resolve));
      let scheduled: () => void = () => undefined;
      const isScheduled = new Promise<void>((resolve) => (scheduled = resolve));
      const brake = { schedule: () => (scheduled(), calledOff) };
      const onRequest = guard(() => assert.fail(), { listenHost: "127.0.0.1", secrets, brake });
      const server = new OnePortServer({ onRequest });
      closeAfter(t, server);
      const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
      // What the client makes of it is its own affair.
      const sent = Promise.allSettled([send(port, guess)]);
      await isScheduled;
      await server.stop(AbortSignal.abort());
      await isCalledOff;
      await sent;
    });
  }
});

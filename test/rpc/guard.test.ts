import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { cors } from "@connectrpc/connect";
import { guard } from "../../src/rpc/guard.js";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { createRefusalTally } from "../../src/rpc/refusal-tally.js";
import { count, paths, startApi, userUplink, valuesOf, type TestApi } from "../helpers/api-server.js";
import { envelope, envelopesOf, getStatsRequest } from "../helpers/grpc.js";
import {
  openRaw,
  openSession,
  openStream,
  sendHttp1,
  sendHttp2,
  versions,
  type HttpAnswer,
} from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import { closed, turns } from "../helpers/timing.js";

const alice = userUplink("alice");
const allowed = "https://panel.example";

function corsHeadersOf({ headers }: HttpAnswer): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.startsWith("access-control-") || name === "vary"),
  );
}

/** A guarded handler that counts the requests it gets and answers with `ok`. */
async function startGuarded(
  t: TestContext,
  options: Partial<Parameters<typeof guard>[1]> = {},
): Promise<{ port: number; served: string[] }> {
  const served: string[] = [];
  const onRequest = guard(
    (request, response) => {
      served.push(request.method ?? "");
      response.end("ok");
    },
    { listenHost: "127.0.0.1", ...options },
  );
  const server = new OnePortServer({ onRequest });
  closeAfter(t, server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return { port, served };
}

for (const { version, send } of versions) {
  const hostHeader = version === "HTTP/2" ? ":authority" : "host";

  describe(`guard() over ${version}`, { timeout: 20_000 }, () => {
    it("hands requests without an Origin on, and adds no CORS headers", async (t) => {
      const { port, served } = await startGuarded(t, { allowedOrigins: [allowed] });
      for (const host of ["127.0.0.1", "localhost:1", "[::1]", "0x7f.1"]) {
        const answer = await send(port, { path: "/", headers: { [hostHeader]: host } });
        assert.equal(answer.body.toString(), "ok");
        assert.deepEqual(corsHeadersOf(answer), {});
      }
      assert.equal(served.length, 4);
    });

    it("hands requests of our own origin on, and adds no CORS headers", async (t) => {
      const { port, served } = await startGuarded(t);
      const answer = await send(port, { path: "/", headers: { origin: `http://127.0.0.1:${port}` } });
      assert.equal(answer.body.toString(), "ok");
      assert.deepEqual(corsHeadersOf(answer), {});
      assert.equal(served.length, 1);
    });

    it("hands requests of an allowed origin on, with what the browser needs to read the answer", async (t) => {
      const { port } = await startGuarded(t, { allowedOrigins: ["https://other.example", allowed] });
      const answer = await send(port, { path: "/", headers: { origin: allowed } });
      assert.equal(answer.body.toString(), "ok");
      assert.deepEqual(corsHeadersOf(answer), {
        "access-control-allow-origin": allowed,
        "access-control-expose-headers": cors.exposedHeaders.join(", "),
        vary: "Origin",
      });
      assert.match(cors.exposedHeaders.join(), /Grpc-Status,Grpc-Message/);
    });

    it("answers the preflight of an allowed origin itself", async (t) => {
      const { port, served } = await startGuarded(t, { allowedOrigins: [allowed] });
      const headers = { origin: allowed, "access-control-request-method": "POST" };
      const answer = await send(port, { method: "OPTIONS", path: "/", headers });
      assert.equal(answer.status, 204);
      assert.equal(answer.body.length, 0);
      assert.deepEqual(corsHeadersOf(answer), {
        "access-control-allow-origin": allowed,
        "access-control-expose-headers": cors.exposedHeaders.join(", "),
        "access-control-allow-methods": "POST, GET",
        "access-control-allow-headers": cors.allowedHeaders.join(", "),
        "access-control-max-age": "7200",
        vary: "Origin",
      });
      assert.deepEqual(served, []);
    });

    it("allows a private network only to a preflight that asks", async (t) => {
      const { port } = await startGuarded(t, { allowedOrigins: [allowed] });
      for (const { asked, answered } of [
        { asked: "true", answered: "true" },
        { asked: "false", answered: undefined },
      ]) {
        const headers = {
          origin: allowed,
          "access-control-request-method": "POST",
          "access-control-request-private-network": asked,
        };
        const answer = await send(port, { method: "OPTIONS", path: "/", headers });
        assert.equal(answer.headers["access-control-allow-private-network"], answered);
      }
    });

    it("hands an OPTIONS request on that is no preflight", async (t) => {
      const { port, served } = await startGuarded(t, { allowedOrigins: [allowed] });
      await send(port, { method: "OPTIONS", path: "/", headers: { origin: allowed } });
      assert.deepEqual(served, ["OPTIONS"]);
    });

    it("refuses the preflight of a foreign origin without CORS headers", async (t) => {
      const { port, served } = await startGuarded(t, { allowedOrigins: [allowed] });
      const headers = { origin: "https://evil.example", "access-control-request-method": "POST" };
      const answer = await send(port, { method: "OPTIONS", path: "/", headers });
      assert.equal(answer.status, 403);
      assert.deepEqual(corsHeadersOf(answer), {});
      assert.deepEqual(served, []);
    });

    it("counts what it refuses, by what is wrong with it", async (t) => {
      const refusals = createRefusalTally();
      const { port } = await startGuarded(t, { refusals });
      await send(port, { path: "/" });
      await send(port, { path: "/", headers: { [hostHeader]: "evil.example" } });
      await send(port, { path: "/", headers: { origin: "https://evil.example" } });
      await send(port, { path: "/", headers: { origin: "null" } });
      await send(port, { path: "/", headers: { [hostHeader]: "x:99999" } });
      assert.deepEqual(refusals, {
        ...createRefusalTally(),
        ...{ foreign_host: 1, foreign_origin: 2, malformed_host: 1 },
      });
    });

    it("refuses malformed hosts, and lives", async (t) => {
      const { port, served } = await startGuarded(t);
      for (const host of ["x:99999", "a b", "u@127.0.0.1", "a/b", "%"]) {
        const answers = send(port, { path: "/", headers: { [hostHeader]: host } });
        // Node's HTTP/2 refuses some of them by itself, with a stream error.
        const status = await answers.then(
          (answer) => answer.status,
          () => 400,
        );
        assert.equal(status, 400, host);
      }
      assert.deepEqual(served, []);
      assert.equal((await send(port, { path: "/" })).status, 200);
    });
  });
}

describe("guard() in front of the API", { timeout: 20_000 }, () => {
  const foreign = [
    { what: "a foreign Origin", headers: { origin: "https://evil.example" } },
    { what: "the Origin null", headers: { origin: "null" } },
    { what: "a rebound name", headers: { host: "evil.example" } },
    {
      what: "a rebound name with its own Origin",
      headers: { host: "evil.example:80", origin: "http://evil.example" },
    },
  ];

  async function startCounting(t: TestContext): Promise<TestApi> {
    const api = await startApi(t, { allowedOrigins: [allowed] });
    count(api.store, alice, 5);
    return api;
  }

  const grpcBody = envelope(getStatsRequest({ name: alice, reset: true }));
  const jsonBody = JSON.stringify({ name: alice, reset: true });

  for (const { what, headers } of foreign) {
    it(`denies ${what} in every protocol, and resets nothing`, async (t) => {
      const api = await startCounting(t);
      for (const { send } of versions) {
        const json = { ...headers, "content-type": "application/json" };
        const connect = await send(api.port, { path: paths.getStats, headers: json, body: jsonBody });
        assert.equal(connect.status, 403);
        assert.match(connect.body.toString(), /^\{"code":"permission_denied","message":"(host|origin) /);
        const grpcWeb = await send(api.port, {
          path: paths.getStats,
          headers: { ...headers, "content-type": "application/grpc-web" },
          body: grpcBody,
        });
        assert.match(envelopesOf(grpcWeb.body)[0]?.data.toString() ?? "", /^grpc-status: 7\r\n/);
        // What a page can send without a preflight.
        const plain = await send(api.port, {
          path: paths.getStats,
          headers: { ...headers, "content-type": "text/plain" },
          body: jsonBody,
        });
        assert.equal(plain.status, 403);
        assert.deepEqual(corsHeadersOf(plain), {});
      }
      const grpcHeaders = { ...headers, "content-type": "application/grpc", te: "trailers" };
      const grpc = await sendHttp2(api.port, { path: paths.getStats, headers: grpcHeaders, body: grpcBody });
      assert.equal(grpc.headers["grpc-status"], "7");
      assert.equal(grpc.isOneFrame, true);
      assert.deepEqual(valuesOf(api.store), { [alice]: 5n });
    });
  }

  it("puts CORS headers on every kind of answer to an allowed origin", async (t) => {
    const api = await startCounting(t);
    const answers = [];
    for (const path of [paths.getStats, "/unknown", `${paths.getStats}Online`]) {
      for (const contentType of ["application/json", "application/grpc-web", "text/plain"]) {
        const headers = { origin: allowed, "content-type": contentType };
        for (const { send } of versions) answers.push(await send(api.port, { path, headers, body: "{}" }));
      }
    }
    const grpcHeaders = { origin: allowed, "content-type": "application/grpc", te: "trailers" };
    answers.push(await sendHttp2(api.port, { path: "/unknown", headers: grpcHeaders }));
    assert.equal(answers.length, 19);
    for (const answer of answers) {
      assert.equal(answer.headers["access-control-allow-origin"], allowed);
      assert.equal(answer.headers["vary"], "Origin");
    }
  });

  it("allows nobody by default, and never adds a CORS header", async (t) => {
    const api = await startApi(t);
    const answers = [];
    for (const origin of [undefined, api.url, allowed, "null"]) {
      for (const method of ["POST", "OPTIONS"]) {
        const headers = {
          ...(origin === undefined ? {} : { origin }),
          "access-control-request-method": "POST",
        };
        for (const { send } of versions)
          answers.push(await send(api.port, { method, path: paths.getStats, headers }));
      }
    }
    assert.equal(answers.length, 16);
    for (const answer of answers) assert.deepEqual(corsHeadersOf(answer), {});
  });
});

describe("a malformed Host on the wire", { timeout: 20_000 }, () => {
  for (const { what, head } of [
    { what: "an open bracket", head: "POST / HTTP/1.1\r\nHost: [\r\n" },
    { what: "nothing", head: "POST / HTTP/1.1\r\nHost:\r\n" },
    { what: "no Host in HTTP/1.1", head: "POST / HTTP/1.1\r\n" },
    { what: "a port beyond 65535", head: "POST / HTTP/1.1\r\nHost: x:99999\r\n" },
    { what: "no Host in HTTP/1.0", head: "POST / HTTP/1.0\r\n" },
    {
      what: "a bracket, for a call",
      head: `POST ${paths.getStats} HTTP/1.1\r\nHost: [\r\nContent-Type: application/json\r\n`,
    },
    {
      what: "no Host in HTTP/1.0, for a call",
      head: `POST ${paths.getStats} HTTP/1.0\r\nContent-Type: application/json\r\n`,
    },
  ]) {
    it(`is answered with 400: ${what}`, async (t) => {
      const api = await startApi(t);
      const raw = await openRaw(t, api.port, `${head}Connection: close\r\nContent-Length: 2\r\n\r\n{}`);
      assert.match(await raw.closed(), /^HTTP\/1\.[01] 400 /);
      assert.equal((await sendHttp1(api.port, { path: "/" })).status, 404);
    });
  }

  for (const authority of ["[", "x:99999", "127.0.0.1/", "a b"]) {
    it(`never reaches a call in :authority: ${authority}`, async (t) => {
      const api = await startApi(t);
      const counter = count(api.store, alice, 5);
      const headers = { ":authority": authority, "content-type": "application/json" };
      const session = openSession(t, api.port);
      const stream = openStream(session, { path: paths.getStats, headers });
      let status: unknown;
      stream.on("response", (received) => (status = received[":status"]));
      stream.end(JSON.stringify({ name: alice, reset: true }));
      stream.resume();
      await closed(stream);
      // nghttp2 itself cuts off what no authority can contain.
      assert.ok(status === 400 || stream.rstCode !== 0, `status ${String(status)}`);
      assert.equal(counter.value, 5n);
      assert.equal((await sendHttp2(api.port, { path: "/" })).status, 404);
    });
  }

  it("is refused though the caller resets in the middle of his request", async (t) => {
    const api = await startApi(t);
    for (let round = 0; round < 5; round++) {
      const raw = await openRaw(
        t,
        api.port,
        "POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 9\r\n\r\nabc",
      );
      await raw.received("HTTP/1.1 403");
      raw.socket.resetAndDestroy();
      await turns(3);
    }
    assert.equal((await sendHttp1(api.port, { path: "/" })).status, 404);
  });
});

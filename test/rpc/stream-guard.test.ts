import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { TlsServer } from "../../src/net/tls-server.js";
import type { Caller } from "../../src/rpc/caller.js";
import { guard, type GuardOptions } from "../../src/rpc/guard.js";
import { OnePortServer, type OnePortServerOptions } from "../../src/rpc/one-port-server.js";
import { guardStreams } from "../../src/rpc/stream-guard.js";
import { openSession, sendHttp2, sendOnSession, type HttpRequest } from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import { fixtureTls } from "../helpers/tls-port.js";

const allowed = "https://panel.example";
const secrets = [
  { name: "panel", secret: "p", reset: true },
  { name: "grafana", secret: "g" },
];

interface Verdicts {
  /** Whom the guard of streams let pass. */
  readonly byStream: readonly (Caller | undefined)[];
  /** Whom the guard of requests let pass. */
  readonly byRequest: readonly (Caller | undefined)[];
}

/** A server with both guards. Its handler of streams takes none, so that requests are made of all of them. */
async function start(
  t: TestContext,
  options: Partial<GuardOptions>,
  secure?: OnePortServerOptions["secure"],
) {
  const byStream: (Caller | undefined)[] = [];
  const byRequest: (Caller | undefined)[] = [];
  const whom = { listenHost: "listen.example", ...options };
  const server = new OnePortServer({
    onRequest: guard((_, response, caller) => {
      byRequest.push(caller);
      response.end();
    }, whom),
    onStream: guardStreams((_stream, _headers, admit) => {
      byStream.push(admit());
      return false;
    }, whom),
    secure,
  });
  closeAfter(t, server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return { port, verdicts: { byStream, byRequest } satisfies Verdicts };
}

interface Case {
  readonly headers: Readonly<Record<string, string>>;
  readonly request?: Partial<HttpRequest>;
  /** Whether the stream is let pass; a request can be where it is not. */
  readonly isAdmitted: boolean;
}

const open: readonly Case[] = [
  { headers: {}, isAdmitted: true },
  { headers: { ":authority": "localhost" }, isAdmitted: true },
  { headers: { ":authority": "LOCALHOST:99" }, isAdmitted: true },
  { headers: { ":authority": "listen.example" }, isAdmitted: true },
  { headers: { ":authority": "192.0.2.1:1" }, isAdmitted: true },
  { headers: { ":authority": "[::1]" }, isAdmitted: true },
  { headers: { ":authority": "evil.example" }, isAdmitted: false },
  { headers: { ":authority": "listen.example.evil.example" }, isAdmitted: false },
  { headers: { ":authority": "localhost:99999" }, isAdmitted: false },
  { headers: { host: "localhost" }, isAdmitted: false },
  { headers: { host: "evil.example" }, isAdmitted: false },
  { headers: { ":authority": "localhost", host: "evil.example" }, isAdmitted: true },
  { headers: { ":authority": "evil.example", host: "localhost" }, isAdmitted: false },
  { headers: { origin: allowed }, isAdmitted: false },
  { headers: { ":authority": "localhost", origin: "http://localhost" }, isAdmitted: false },
  { headers: { origin: "https://evil.example" }, isAdmitted: false },
  { headers: { origin: "null" }, isAdmitted: false },
  { headers: { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }, isAdmitted: false },
  { headers: { "sec-fetch-site": "same-origin" }, isAdmitted: false },
  { headers: { authorization: "Bearer x" }, isAdmitted: true },
];

const guarded: readonly Case[] = [
  { headers: { authorization: "Bearer p" }, isAdmitted: true },
  { headers: { authorization: "Bearer g" }, isAdmitted: true },
  { headers: { authorization: "bearer   g" }, isAdmitted: true },
  { headers: { authorization: "Bearer p", ":authority": "any.example" }, isAdmitted: true },
  { headers: { authorization: "Bearer p", ":authority": "localhost:99999" }, isAdmitted: false },
  { headers: { authorization: "Bearer p", origin: allowed }, isAdmitted: false },
  { headers: { authorization: "Bearer p", origin: "https://evil.example" }, isAdmitted: false },
  { headers: {}, isAdmitted: false },
  { headers: { authorization: "Bearer x" }, isAdmitted: false },
  { headers: { authorization: "Bearer" }, isAdmitted: false },
  { headers: { authorization: "Basic cDpw" }, isAdmitted: false },
  { headers: { ":authority": "evil.example" }, isAdmitted: false },
  { headers: {}, request: { path: "/grpc.health.v1.Health/Check" }, isAdmitted: false },
];

describe("guardStreams()", { timeout: 20_000 }, () => {
  for (const { what, options, cases } of [
    { what: "without secrets", options: { allowedOrigins: [allowed] }, cases: open },
    { what: "with secrets", options: { allowedOrigins: [allowed], secrets }, cases: guarded },
  ]) {
    for (const { headers, request, isAdmitted } of cases) {
      it(`${isAdmitted ? "admits" : "leaves to the guard"} ${JSON.stringify({ ...headers, ...request })}, ${what}`, async (t) => {
        const { port, verdicts } = await start(t, options);
        const answer = await sendHttp2(port, { path: "/", ...request, headers });
        const [caller] = verdicts.byStream;
        assert.equal(verdicts.byStream.length, 1);
        assert.equal(caller !== undefined, isAdmitted);
        // Whoever is admitted would have been by the other guard, as the same, and without a word in the answer.
        const expected = isAdmitted ? [caller] : verdicts.byRequest;
        assert.deepEqual(verdicts.byRequest, expected);
        assert.equal(answer.headers["access-control-allow-origin"] !== undefined && isAdmitted, false);
        assert.equal(answer.status === 200 || !isAdmitted, true);
      });
    }
  }

  it("admits callers by what each of them says, one behind the other on the same connection", async (t) => {
    const { port, verdicts } = await start(t, { secrets });
    const session = openSession(t, port);
    for (const secret of ["p", "g", "x", "p"]) {
      await sendOnSession(session, { path: "/", headers: { authorization: `Bearer ${secret}` } });
    }
    const panel = { name: "panel", mayReset: true };
    const grafana = { name: "grafana", mayReset: false };
    assert.deepEqual(verdicts.byStream, [panel, grafana, undefined, panel]);
    assert.deepEqual(verdicts.byRequest, [panel, grafana, panel]);
  });

  it("does not take a foreign host for the own one that was named before it", async (t) => {
    const { port, verdicts } = await start(t, {});
    const session = openSession(t, port);
    for (const authority of ["localhost", "evil.example", "localhost", "127.0.0.1", "evil.example"]) {
      await sendOnSession(session, { path: "/", headers: { ":authority": authority } });
    }
    assert.deepEqual(
      verdicts.byStream.map((caller) => caller !== undefined),
      [true, false, true, true, false],
    );
  });

  it("admits under any host where a verified certificate is asked for", async (t) => {
    const { port, verdicts } = await start(t, { isMutual: true });
    for (const authority of ["any.example", "localhost:99999"]) {
      await sendHttp2(port, { path: "/", headers: { ":authority": authority } });
    }
    assert.deepEqual(
      verdicts.byStream.map((caller) => caller !== undefined),
      [true, false],
    );
    assert.equal(verdicts.byRequest.length, 1);
  });

  it("admits under TLS as in cleartext", async (t) => {
    const tls = new TlsServer(fixtureTls, { protocols: ["h2"], handshakeTimeoutMs: 10_000 });
    await tls.start();
    t.after(() => {
      tls.stop();
    });
    const { port, verdicts } = await start(t, {}, async (socket) => tls.secure(socket));
    const session = openSession(t, { tlsPort: port });
    for (const authority of ["localhost:443", "evil.example"]) {
      await sendOnSession(session, { path: "/", headers: { ":authority": authority } });
    }
    assert.deepEqual(
      verdicts.byStream.map((caller) => caller !== undefined),
      [true, false],
    );
  });

  it("admits on a Unix socket by what needs no name", async (t) => {
    const { port, verdicts } = await start(t, { listenHost: undefined });
    for (const authority of ["localhost", "127.0.0.1", "undefined", "evil.example"]) {
      await sendHttp2(port, { path: "/", headers: { ":authority": authority } });
    }
    assert.deepEqual(
      verdicts.byStream.map((caller) => caller !== undefined),
      [true, true, false, false],
    );
    assert.equal(verdicts.byRequest.length, 2);
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { ApiServerOptions } from "../../src/rpc/api-server.js";
import { count, paths, startApi, userUplink, type TestApi } from "../helpers/api-server.js";
import { envelope, getStatsRequest, getStatsValue } from "../helpers/grpc.js";
import {
  http1Text,
  http2Frame,
  http2Preface,
  openRaw,
  openSession,
  sendHttp1,
  sendOnSession,
  versions,
  type HttpRequest,
} from "../helpers/raw-http.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { closeAfter } from "../helpers/sockets.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { fixtureTls, type TlsPort } from "../helpers/tls-port.js";
import {
  clientAuthority,
  clientFixture,
  otherTlsFixture,
  strangerFixture,
  tlsFixture,
} from "../helpers/tls.js";
import { closed, turns, until } from "../helpers/timing.js";

const io = { timeout: 20_000 };
const name = userUplink("alice");
const json = { "content-type": "application/json" };
const query: HttpRequest = { path: paths.queryStats, headers: json, body: "{}" };

interface TlsApi extends TestApi {
  readonly tls: TlsPort;
  readonly logger: RecordingLogger;
}

async function startTlsApi(t: TestContext, options: Partial<ApiServerOptions> = {}): Promise<TlsApi> {
  const logger = new RecordingLogger();
  const api = await startApi(t, { tls: fixtureTls, logger, ...options });
  return { ...api, tls: { tlsPort: api.port }, logger };
}

const mutual: Partial<ApiServerOptions> = {
  tls: {
    ...fixtureTls,
    clientAuthentication: "require-and-verify",
    clientCertificates: [{ pem: clientAuthority }],
  },
};

describe("the API under TLS", io, () => {
  const protocols: readonly (readonly [
    string,
    HttpRequest["headers"],
    string | Uint8Array,
    RegExp | bigint,
  ])[] = [
    ["Connect", json, JSON.stringify({ name }), /"value":"77"/],
    ["gRPC-Web", { "content-type": "application/grpc-web+proto" }, envelope(getStatsRequest({ name })), 77n],
    [
      "gRPC",
      { "content-type": "application/grpc", te: "trailers" },
      envelope(getStatsRequest({ name })),
      77n,
    ],
  ];
  for (const [protocol, headers = {}, body, expected] of protocols) {
    for (const { version, send } of versions) {
      if (protocol === "gRPC" && version === "HTTP/1.1") continue;
      it(`answers ${protocol} over ${version}`, async (t) => {
        const api = await startTlsApi(t);
        count(api.store, name, 77);
        const answer = await send(api.tls, { path: paths.getStats, headers, body });
        assert.equal(answer.status, 200);
        const { length } = answer.body;
        const value =
          typeof expected === "bigint"
            ? getStatsValue(answer.body.subarray(5, 5 + answer.body.readUInt32BE(1)))
            : expected.exec(answer.body.toString())?.length;
        assert.equal(value, typeof expected === "bigint" ? expected : 1, `${length} bytes`);
      });
    }
  }

  for (const { version, send } of versions) {
    it(`serves the metrics over ${version}`, async (t) => {
      const api = await startTlsApi(t);
      const { status, body } = await send(api.tls, { method: "GET", path: "/metrics" });
      assert.equal(status, 200);
      assert.match(body.toString(), /^v2ray_up 1$/m);
    });

    it(`takes pages of its own https origin for own, and those of http for foreign, over ${version}`, async (t) => {
      const api = await startTlsApi(t);
      for (const [origin, status] of [
        [`https://127.0.0.1:${api.port}`, 200],
        [`http://127.0.0.1:${api.port}`, 403],
        ["https://evil.example", 403],
      ] as const) {
        const headers = { ...json, origin };
        assert.equal((await send(api.tls, { ...query, headers })).status, status, origin);
      }
    });
  }

  it("serves a name that is not its own to nobody, as in cleartext", async (t) => {
    const api = await startTlsApi(t);
    const raw = await openRaw(
      t,
      api.tls,
      http1Text({ ...query, headers: { ...json, host: "evil.example" } }),
    );
    assert.match(await raw.received("permission_denied"), /^HTTP\/1\.1 403 /);
  });

  it("asks for secrets as in cleartext", async (t) => {
    const api = await startTlsApi(t, { secrets: [{ name: "a", secret: "s3cret" }] });
    for (const { send } of versions) {
      assert.equal((await send(api.tls, query)).status, 401);
      const headers = { ...json, authorization: "Bearer s3cret" };
      assert.equal((await send(api.tls, { ...query, headers })).status, 200);
    }
  });

  it("ends with a client that speaks cleartext, of which the log hears nothing", async (t) => {
    const api = await startTlsApi(t);
    for (const text of [http1Text(query), http2Preface]) {
      const raw = await openRaw(t, api.port, text);
      assert.doesNotMatch(await raw.closed(), /HTTP/);
    }
    await until(() => api.logger.lines.length >= 2);
    assert.deepEqual(new Set(api.logger.lines.map(({ level }) => level)), new Set(["debug"]));
  });

  it("ends in time with a handshake that is not complete, and with what comes behind it", async (t) => {
    const api = await startTlsApi(t, { sniffTimeoutMs: 300 });
    const silent = connect({ port: api.port, host: "127.0.0.1" });
    closeAfter(t, silent);
    await closed(silent.resume());
    const secured = await openRaw(t, api.tls, "POST");
    const undecided = await openRaw(t, api.tls, "PRI * HT");
    assert.equal(await undecided.closed(), "");
    secured.socket.destroy();
  });

  it("ends with HTTP/2 that was not agreed on", async (t) => {
    const api = await startTlsApi(t);
    const settings = http2Frame(0x4, 0, 0, Buffer.alloc(0));
    const raw = await openRaw(t, api.tls, http2Preface, settings);
    assert.equal(await raw.closed(), "");
    // Nobody waits for its session: the next one is served.
    assert.equal((await sendOnSession(openSession(t, api.tls), query)).status, 200);
  });

  it("stops at once where handshakes are under way, and lets calls end", async (t) => {
    const api = await startTlsApi(t);
    const handshaking = connect({ port: api.port, host: "127.0.0.1" });
    closeAfter(t, handshaking);
    handshaking.write("\x16\x03", "latin1");
    const session = openSession(t, api.tls);
    await sendOnSession(session, query);
    const between = await openRaw(t, api.tls, http1Text(query));
    await between.received("{}");
    await turns(5);
    await api.server.stop(new AbortController().signal);
    await Promise.all([closed(handshaking.resume()), between.closed()]);
  });

  it("cuts with a reset, which does not look complete", async (t) => {
    const api = await startTlsApi(t);
    const raw = await openRaw(
      t,
      api.tls,
      "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc",
    );
    const failure = once(raw.socket, "error");
    await turns(20);
    await api.server.stop(AbortSignal.abort());
    assert.equal(((await failure)[0] as NodeJS.ErrnoException).code, "ECONNRESET");
  });
});

describe("the API under mutual TLS", io, () => {
  it("serves who has a certificate of its authority, under any name, and nobody else", async (t) => {
    const api = await startTlsApi(t, mutual);
    for (const { send } of versions) {
      assert.equal((await send({ ...api.tls, options: { ...clientFixture } }, query)).status, 200);
    }
    for (const options of [{}, strangerFixture]) {
      await assert.rejects(sendHttp1({ ...api.tls, options }, query));
    }
    const headers = { ...json, host: "api.example" };
    const right: TlsPort = { ...api.tls, options: { ...clientFixture } };
    const raw = await openRaw(t, right, http1Text({ ...query, headers }));
    assert.match(await raw.received("{}"), /^HTTP\/1\.1 200 /);
  });

  it("may listen beyond loopback without a secret", async (t) => {
    const api = await startTlsApi(t, { ...mutual, listen: { host: "0.0.0.0", port: 0 } });
    assert.deepEqual(api.logger.messages("warn"), []);
    const [, http2] = versions;
    assert.equal((await http2?.send({ ...api.tls, options: { ...clientFixture } }, query))?.status, 200);
  });

  for (const clientAuthentication of ["no", "request", "require-any", "verify-if-given"] as const) {
    it(`is the only one that may: not with ${clientAuthentication}`, async (t) => {
      const tls = { ...mutual.tls, ...fixtureTls, clientAuthentication };
      await assert.rejects(startTlsApi(t, { tls, listen: { host: "0.0.0.0", port: 0 } }), {
        message: /^listen 0\.0\.0\.0:0: other machines can reach it: give it secrets or mutual TLS, /,
      });
    });
  }
});

describe("the API's certificate", io, () => {
  it("is another one for new connections once its files have changed, and old ones go on", async (t) => {
    const folder = createTempDir(t);
    const tls = {
      certificate: { path: folder.write("cert.pem", tlsFixture.cert) },
      key: { path: folder.write("key.pem", tlsFixture.key) },
    };
    const api = await startTlsApi(t, { tls });
    const session = openSession(t, api.tls);
    const kept = await openRaw(t, api.tls, http1Text(query));
    assert.equal((await sendOnSession(session, query)).status, 200);
    folder.write("cert.pem", otherTlsFixture.cert);
    folder.write("key.pem", otherTlsFixture.key);
    await until(() => api.logger.messages("info").length > 0);
    for (const { send } of versions) {
      await assert.rejects(async () => send(api.tls, query), /self-signed certificate/);
      const trusting: TlsPort = { ...api.tls, options: { ca: otherTlsFixture.cert } };
      assert.equal((await send(trusting, query)).status, 200);
    }
    assert.equal((await sendOnSession(session, query)).status, 200);
    kept.send(http1Text(query));
    await kept.received("HTTP/1.1 200", 2);
  });

  it("keeps the API from its start where it is missing, and nothing listens then", async (t) => {
    const tls = { ...fixtureTls, key: { path: createTempDir(t).join("key.pem") } };
    await assert.rejects(startTlsApi(t, { tls }), {
      message: /^tls: cannot read a private key from ".*key\.pem"/,
    });
  });
});

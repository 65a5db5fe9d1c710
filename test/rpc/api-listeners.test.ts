import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { request as requestHttp1, type IncomingMessage } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect, createServer } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { formatListenAddress, type ListenAddress } from "../../src/net/listen-address.js";
import type { ApiListener } from "../../src/rpc/api-listener.js";
import { createApiListeners } from "../../src/rpc/api-listeners.js";
import { ApiServer, type ApiServerOptions } from "../../src/rpc/api-server.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import { paths } from "../helpers/api-server.js";
import { readAll } from "../helpers/bytes.js";
import { firstPort } from "../helpers/first-port.js";
import { http1Text, sendHttp1, sendOnSession, versions } from "../helpers/raw-http.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { closeAfter, listen } from "../helpers/sockets.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { fixtureTls } from "../helpers/tls-port.js";
import { closed } from "../helpers/timing.js";

const io = { timeout: 20_000 };
const loopback = { host: "127.0.0.1", port: 0 };
const json = { "content-type": "application/json" };
const query = { path: paths.queryStats, headers: json, body: "{}" };
const never = new AbortController().signal;

async function startAt(
  t: TestContext,
  addresses: readonly ListenAddress[],
  options: Partial<ApiServerOptions> = {},
): Promise<{ readonly server: ApiServer; readonly addresses: readonly ListenAddress[] }> {
  const server = new ApiServer({ store: new CounterStore(), ...options, listen: addresses });
  closeAfter(t, server);
  return { server, addresses: await server.start() };
}

interface FileAnswer {
  readonly status: number;
  readonly body: string;
}

/** Calls over HTTP/1.1 by way of a Unix socket. */
async function sendToFile(
  socketPath: string,
  headers: Readonly<Record<string, string>> = {},
  path: string = paths.queryStats,
): Promise<FileAnswer> {
  const allHeaders = { ...json, "content-length": 2, ...headers };
  const request = requestHttp1({ socketPath, path, method: "POST", agent: false, headers: allHeaders });
  request.end("{}");
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: (await readAll(response)).toString() };
}

describe("an API server's listeners", io, () => {
  it("serve the same at several addresses, which it tells in their order", async (t) => {
    const path = createTempDir(t).join("a.sock");
    const { addresses } = await startAt(t, [loopback, { path }, { host: "::1", port: 0 }]);
    assert.deepEqual(
      addresses.map((address) => formatListenAddress(address).replace(/:\d+$/, ":PORT")),
      ["127.0.0.1:PORT", `unix:${path}`, "[::1]:PORT"],
    );
    for (const { send } of versions) assert.equal((await send(firstPort(addresses), query)).status, 200);
    assert.deepEqual(await sendToFile(path), { status: 200, body: "{}" });
    const metrics = (
      await sendHttp1(firstPort(addresses), { method: "GET", path: "/metrics" })
    ).body.toString();
    const line = /v2ray_api_calls_total\{service="v2ray[^}]*method="QueryStats",code="ok"\} (\d+)/.exec(
      metrics,
    );
    assert.equal(line?.[1], "3");
  });

  it("are all open, or none", async (t) => {
    const folder = createTempDir(t);
    const { port } = await listen(t, createServer());
    const starting = startAt(t, [{ path: folder.join("a.sock") }, { host: "127.0.0.1", port }]);
    await assert.rejects(starting, { message: `listen 127.0.0.1:${port}: address in use` });
    assert.equal(existsSync(folder.join("a.sock")), false);
  });

  it("name the path and the reason where a file is in the way", async (t) => {
    const path = createTempDir(t).write("a.sock", "precious");
    await assert.rejects(startAt(t, [{ path }]), {
      name: "ListenError",
      message: `listen unix:${path}: a file is there that is no socket`,
    });
    const folder = createTempDir(t).join("no");
    await assert.rejects(startAt(t, [{ path: `${folder}/a.sock` }]), {
      message: `listen unix:${folder}/a.sock: its folder does not exist`,
    });
  });

  it("may come and go one by one, and count their calls together as long as there is one", async (t) => {
    const folder = createTempDir(t);
    const createListener = createApiListeners({ store: new CounterStore() });
    const create = (address: ListenAddress): ApiListener => {
      const listener = createListener(address);
      closeAfter(t, { [Symbol.asyncDispose]: async () => listener.stop(AbortSignal.abort()) });
      return listener;
    };
    const [first, second] = [create(loopback), create({ path: folder.join("a.sock") })];
    const port = firstPort([await first.start()]);
    await second.start();
    await sendToFile(folder.join("a.sock"));
    await second.stop(never);
    assert.equal(existsSync(folder.join("a.sock")), false);
    const countOn = async (target: number): Promise<string | undefined> => {
      const { body } = await sendHttp1(target, { method: "GET", path: "/metrics" });
      return /method="QueryStats",code="ok"\} (\d+)/.exec(body.toString())?.[1];
    };
    assert.equal(await countOn(port), "1");
    const third = create(loopback);
    const thirdPort = firstPort([await third.start()]);
    await first.stop(never);
    assert.equal(await countOn(thirdPort), "1");
    await third.stop(never);
    const fourth = create(loopback);
    assert.equal(await countOn(firstPort([await fourth.start()])), "0");
    await fourth.stop(never);
    await fourth.stop(never);
  });
});

describe("a Unix socket of an API server", io, () => {
  it("needs no secret, since nobody else can open it, and is gone after the stop", async (t) => {
    const path = createTempDir(t).join("a.sock");
    const logger = new RecordingLogger();
    const { server } = await startAt(t, [{ path }], { logger });
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(logger.messages("warn"), []);
    await server.stop(never);
    assert.equal(existsSync(path), false);
  });

  it("speaks HTTP/2, too", async (t) => {
    const path = createTempDir(t).join("a.sock");
    await startAt(t, [{ path }]);
    const session = connectHttp2("http://localhost", { createConnection: () => connect({ path }) });
    closeAfter(t, session);
    assert.equal((await sendOnSession(session, query)).status, 200);
  });

  it("is cut like any other connection", async (t) => {
    const path = createTempDir(t).join("a.sock");
    const { server } = await startAt(t, [{ path }]);
    const client = connect({ path });
    closeAfter(t, client);
    client.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n");
    await once(client, "connect");
    await sendToFile(path);
    await server.stop(AbortSignal.abort());
    await closed(client.resume());
  });

  for (const [host, status] of [
    ["localhost", 200],
    ["127.0.0.1", 200],
    ["evil.example", 403],
  ] as const) {
    it(`takes ${JSON.stringify(host)} for ${status === 200 ? "an own" : "a foreign"} Host`, async (t) => {
      const path = createTempDir(t).join("a.sock");
      await startAt(t, [{ path }]);
      assert.equal((await sendToFile(path, { host })).status, status);
    });
  }

  it("needs no name in its Host", async (t) => {
    const path = createTempDir(t).join("a.sock");
    await startAt(t, [{ path }]);
    const client = connect({ path });
    closeAfter(t, client);
    client.write(http1Text({ ...query, headers: { ...json, host: "", connection: "close" } }));
    assert.match((await readAll(client)).toString(), /^HTTP\/1\.1 200 /);
  });

  it("lets no page in whose origin is not allowed", async (t) => {
    const path = createTempDir(t).join("a.sock");
    await startAt(t, [{ path }], { allowedOrigins: ["https://panel.example"] });
    assert.equal((await sendToFile(path, { origin: "https://evil.example" })).status, 403);
    assert.equal((await sendToFile(path, { origin: "https://panel.example" })).status, 200);
  });

  it("asks for a secret where there is one", async (t) => {
    const path = createTempDir(t).join("a.sock");
    await startAt(t, [{ path }], { secrets: [{ name: "a", secret: "s3cret" }] });
    assert.equal((await sendToFile(path)).status, 401);
    assert.equal((await sendToFile(path, { authorization: "Bearer s3cret" })).status, 200);
  });

  it("is in cleartext where the ports are not, and its callers have proven nothing", async (t) => {
    const path = createTempDir(t).join("a.sock");
    const tls = {
      ...fixtureTls,
      clientAuthentication: "require-and-verify" as const,
      clientCertificates: [fixtureTls.certificate],
    };
    const { addresses } = await startAt(t, [loopback, { path }], { tls });
    assert.equal((await sendToFile(path)).status, 200);
    assert.equal((await sendToFile(path, { host: "evil.example" })).status, 403);
    await assert.rejects(sendHttp1(firstPort(addresses), query));
  });
});

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect, createServer } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { formatListenAddress } from "../src/net/listen-address.js";
import { paths } from "./helpers/api-server.js";
import {
  openSession,
  sendHttp1,
  sendOnSession,
  sessionClosed,
  type HttpAnswer,
  type HttpRequest,
} from "./helpers/raw-http.js";
import { startReloadedApp } from "./helpers/reloaded-app.js";
import { closeAfter, closedPort, listen } from "./helpers/sockets.js";
import { createTempDir } from "./helpers/temp-dir.js";
import { otherTlsFixture, tlsFixture } from "./helpers/tls.js";

const io = { timeout: 15_000 };
const query = { path: paths.queryStats, headers: { "content-type": "application/json" }, body: "{}" };

function withApi(api: object): object {
  return { experimental: { v2ray_api: { stats: { enabled: true }, ...api } } };
}

/** A call by way of a Unix socket. */
async function sendToFile(t: TestContext, path: string, request: HttpRequest = query): Promise<HttpAnswer> {
  const session = connectHttp2("http://localhost", { createConnection: () => connect({ path }) });
  closeAfter(t, session);
  return sendOnSession(session, request);
}

/** Its status. */
async function statusAt(t: TestContext, path: string): Promise<number> {
  return (await sendToFile(t, path)).status;
}

describe("App's reload, of where the API listens", () => {
  it(
    "opens what is added, closes what is gone, and lets what stays go on with its connections",
    io,
    async (t) => {
      const folder = createTempDir(t);
      const [a, b] = ["a.sock", "b.sock"].map((name) => folder.join(name)) as [string, string];
      const app = await startReloadedApp(t, withApi({ listen: ["127.0.0.1:0", `unix:${a}`] }));
      const port = Number(app.api.split(":")[1]);
      assert.deepEqual(app.addresses.api.map(formatListenAddress), [app.api, `unix:${a}`]);
      const session = openSession(t, port);
      assert.equal((await sendOnSession(session, query)).status, 200);

      await app.reload(withApi({ listen: [`unix:${b}`, "127.0.0.1:0"] }));
      assert.deepEqual(app.addresses.api.map(formatListenAddress), [`unix:${b}`, `127.0.0.1:${port}`]);
      assert.deepEqual(app.reported, { added: undefined, changed: "v2ray_api", removed: undefined });
      assert.equal(await statusAt(t, b), 200);
      assert.equal(existsSync(a), false);
      // What comes serves the same as what was there.
      const metrics = (await sendToFile(t, b, { method: "GET", path: "/metrics" })).body.toString();
      assert.match(metrics, /_calls_total\{service="v2ray.*method="QueryStats",code="ok"\} 2$/m);
      assert.equal((await sendOnSession(session, query)).status, 200);

      await app.reload(withApi({ listen: `unix:${b}` }));
      await sessionClosed(session);
      await assert.rejects(sendHttp1(port, query), { code: "ECONNREFUSED" });
      assert.equal(await statusAt(t, b), 200);
    },
  );

  it("opens all that is added, or nothing", io, async (t) => {
    const folder = createTempDir(t);
    const { port: taken } = await listen(t, createServer());
    const app = await startReloadedApp(t, withApi({ listen: "127.0.0.1:0" }));
    const added = [`unix:${folder.join("a.sock")}`, `127.0.0.1:${taken}`];
    await assert.rejects(app.reload(withApi({ listen: ["127.0.0.1:0", ...added] })), {
      message: `v2ray_api: listen 127.0.0.1:${taken}: address in use`,
    });
    assert.equal(existsSync(folder.join("a.sock")), false);
    assert.equal((await sendHttp1(Number(app.api.split(":")[1]), query)).status, 200);
  });

  it("puts another API into the place of one on the same socket", io, async (t) => {
    const path = createTempDir(t).join("a.sock");
    const app = await startReloadedApp(t, withApi({ listen: `unix:${path}` }));
    assert.equal(await statusAt(t, path), 200);
    await app.reload(withApi({ listen: `unix:${path}`, secret: "s3cret" }));
    assert.equal(await statusAt(t, path), 401);
  });

  it("says at the start that a file is in the way, and nothing listens then", io, async (t) => {
    closeAfter(t);
    const path = createTempDir(t).write("a.sock", "precious");
    const port = await closedPort();
    await assert.rejects(startReloadedApp(t, withApi({ listen: [`127.0.0.1:${port}`, `unix:${path}`] })), {
      name: "StartError",
      message: `v2ray_api: listen unix:${path}: a file is there that is no socket`,
    });
    await assert.rejects(sendHttp1(port, query), { code: "ECONNREFUSED" });
  });
});

describe("App's reload, of the API's TLS", () => {
  it("reads certificates again though the config is the same, and lets connections go on", io, async (t) => {
    const folder = createTempDir(t);
    const config = withApi({
      listen: "127.0.0.1:0",
      tls: {
        enabled: true,
        certificate_path: folder.write("cert.pem", tlsFixture.cert),
        key_path: folder.write("key.pem", tlsFixture.key),
      },
    });
    const app = await startReloadedApp(t, config);
    const tlsPort = Number(app.api.split(":")[1]);
    const session = openSession(t, { tlsPort });
    assert.equal((await sendOnSession(session, query)).status, 200);
    folder.write("cert.pem", otherTlsFixture.cert);
    folder.write("key.pem", otherTlsFixture.key);
    await app.reload(config);
    const options = { ca: otherTlsFixture.cert };
    assert.equal((await sendHttp1({ tlsPort, options }, query)).status, 200);
    assert.equal((await sendOnSession(session, query)).status, 200);
    folder.write("key.pem", tlsFixture.key);
    await app.reload(config);
    assert.equal((await sendHttp1({ tlsPort, options }, query)).status, 200);
    const [warning] = app.logger.lines.filter(({ level }) => level === "warn");
    assert.match(String(warning?.fields?.["error"]), /^".*key\.pem" is not that of ".*cert\.pem"$/);
  });

  it("is refused where a file is missing, and names it", io, async (t) => {
    const app = await startReloadedApp(t, withApi({ listen: "127.0.0.1:0" }));
    const tls = { enabled: true, certificate_path: "/nowhere/cert.pem", key_path: "/nowhere/key.pem" };
    await assert.rejects(app.reload(withApi({ listen: "127.0.0.1:0", tls })), {
      name: "StartError",
      message: /^v2ray_api: tls: cannot read certificates from "\/nowhere\/cert\.pem": ENOENT/,
    });
    assert.equal((await sendHttp1(Number(app.api.split(":")[1]), query)).status, 200);
  });
});

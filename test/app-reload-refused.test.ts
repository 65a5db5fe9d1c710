import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { App } from "../src/app.js";
import type { CreateApiServer } from "../src/create-api.js";
import { toConfig } from "../src/config/to-config.js";
import type { User } from "../src/proxy/users.js";
import { createApp } from "../src/proxy-entry.js";
import { KeptTimers } from "./helpers/kept-timers.js";
import { askProxy, connectTo } from "./helpers/proxy.js";
import { RecordingLogger } from "./helpers/recording-logger.js";
import { startReloadedApp } from "./helpers/reloaded-app.js";
import { closeAfter, closedPort, listen } from "./helpers/sockets.js";
import { createTempDir } from "./helpers/temp-dir.js";
import { tlsFixture } from "./helpers/tls.js";
import { until } from "./helpers/timing.js";

const io = { timeout: 10_000 };
const alice: User = { username: "alice", password: "a" };
const bob: User = { username: "bob", password: "b" };
const outbounds = [
  { type: "direct", tag: "out" },
  { type: "block", tag: "no" },
];

function mixed(tag: string, rest: object = {}): object {
  return { type: "mixed", tag, listen_port: 0, ...rest };
}

describe("App's reload, refused", () => {
  const before = { inbounds: mixed("in", { users: [alice, bob] }), outbounds };

  it("changes nothing at all where a port is taken", io, async (t) => {
    const { port: taken } = await listen(t, createServer());
    const free = await closedPort();
    const app = await startReloadedApp(t, before);
    const tunnels = [await app.open("in", alice), await app.open("in", bob)];
    const reloaded = app.reload({
      inbounds: [
        mixed("in", { users: [alice] }),
        mixed("first", { listen_port: free }),
        mixed("second", { listen_port: taken }),
      ],
      outbounds,
      route: { final: "no" },
      experimental: { limits: { connections: 1 } },
    });
    await assert.rejects(reloaded, {
      ...{ name: "StartError", message: `inbound second: listen 127.0.0.1:${taken}: address in use` },
    });
    for (const tunnel of tunnels) await tunnel.assertAlive();
    await (await app.open("in", bob)).assertAlive();
    await assert.rejects(connectTo(t, { host: "127.0.0.1", port: free }), { code: "ECONNREFUSED" });
    assert.equal(app.reported, undefined);
  });

  it("changes nothing where an outbound cannot read what it needs", io, async (t) => {
    const app = await startReloadedApp(t, before);
    const tunnel = await app.open("in", alice);
    const tls = { enabled: true, certificate_path: "/nowhere/at/all.pem" };
    const upstream = { type: "http", tag: "up", server: "127.0.0.1", server_port: 1, tls };
    await assert.rejects(app.reload({ outbounds: upstream }), {
      name: "StartError",
      message: /^outbound up: /,
    });
    await tunnel.assertAlive();
    await (await app.open("in", bob)).assertAlive();
  });

  it("reads again what is in files, and so refuses a config that is the same", io, async (t) => {
    const folder = createTempDir(t);
    const certificate_path = folder.write("ca.pem", tlsFixture.cert);
    const tls = { enabled: true, certificate_path };
    const config = {
      ...{ inbounds: mixed("in"), route: { final: "out" } },
      outbounds: [...outbounds, { type: "http", tag: "up", server: "127.0.0.1", server_port: 1, tls }],
    };
    const app = await startReloadedApp(t, config);
    const tunnel = await app.open("in");
    await app.reload(config);
    assert.deepEqual(app.reported, { added: undefined, changed: undefined, removed: undefined });
    folder.write("ca.pem", "no certificate");
    await assert.rejects(app.reload(config), { name: "StartError", message: /^outbound up: / });
    await tunnel.assertAlive();
  });

  it("opens again, with the users of now, what had to make way in vain", io, async (t) => {
    closeAfter(t);
    const listen_port = await closedPort();
    const config = (users: readonly User[], listenOn = "127.0.0.1") => ({
      inbounds: [mixed("in", { listen_port, users, listen: listenOn }), mixed("other")],
    });
    const app = await startReloadedApp(t, config([alice]));
    await app.reload(config([bob]));
    const kept = await app.open("other");
    // An address for documentation: no machine has it.
    await assert.rejects(app.reload(config([alice], "192.0.2.1")), {
      ...{ name: "StartError", message: /^inbound in: listen 192\.0\.2\.1:\d+: / },
    });
    await kept.assertAlive();
    await (await app.open("in", bob)).assertAlive();
    const asked = { proxy: app.proxyOf("in"), destination: app.destination.endpoint };
    assert.equal((await askProxy(t, { protocol: "http", user: alice, ...asked })).answer, 407);
    await app.reload(config([alice]));
    await (await app.open("in", alice)).assertAlive();
  });

  it("opens again on the port that it had what may have any", io, async (t) => {
    const config = (rest: object) => ({
      inbounds: mixed("in", rest),
      experimental: { v2ray_api: { listen: "127.0.0.1:0" } },
    });
    const app = await startReloadedApp(t, config({ users: [alice] }));
    await app.reload(config({ users: [bob] }));
    const { inbounds } = app.addresses;
    const listen_port = app.proxyOf("in").port;
    await assert.rejects(app.reload(config({ listen: "192.0.2.1", listen_port, insecure: true })), {
      name: "StartError",
    });
    await (await app.open("in", bob)).assertAlive();
    await app.reload(config({ users: [bob] }));
    assert.deepEqual(app.addresses.inbounds, inbounds);
  });

  it("can be mended", io, async (t) => {
    const server = createServer();
    const { port } = await listen(t, server);
    const app = await startReloadedApp(t, before);
    const next = { inbounds: [mixed("in", { users: [alice] }), mixed("new", { listen_port: port })] };
    await assert.rejects(app.reload(next));
    server.close();
    await app.reload(next);
    await (await app.open("new")).assertAlive();
    assert.deepEqual(app.reported, {
      ...{ added: "inbound new; outbound direct", changed: undefined },
      removed: "outbounds out, no; inbound in: user bob",
    });
  });

  it("happens where the API is not included, and to an app that has not been started", io, async (t) => {
    const app = createApp(toConfig({ inbounds: mixed("in") }));
    closeAfter(t, app);
    await assert.rejects(app.reload(toConfig({})), { message: "reload: the app does not run" });
    const { inbounds } = await app.start();
    const withApi = toConfig({ experimental: { v2ray_api: { listen: "127.0.0.1:0" } } });
    await assert.rejects(app.reload(withApi), { code: "API_NOT_INCLUDED" });
    assert.deepEqual((await app.reload(toConfig({ inbounds: mixed("in") }))).inbounds, inbounds);
  });
});

describe("An app's parts that are not opened", () => {
  const tls = { enabled: true, certificate_path: "/nowhere/at/all.pem" };
  const upstream = { type: "http", tag: "up", server: "127.0.0.1", server_port: 1, tls };
  const many = Array.from({ length: 5 }, (_, index) => mixed(`n${index}`));

  /** An API server that says what becomes of it. */
  function recordApis(): { readonly made: string[]; readonly createApiServer: CreateApiServer } {
    const made: string[] = [];
    const createApiServer: CreateApiServer = () => () => {
      const index = made.push("made") - 1;
      return {
        start: async () => Promise.resolve({ host: "127.0.0.1", port: 7 }),
        stop: async () => {
          made[index] = "stopped";
          return Promise.resolve();
        },
      };
    };
    return { made, createApiServer };
  }
  const api = { v2ray_api: { listen: "127.0.0.1:7" } };
  const otherApi = { v2ray_api: { ...api.v2ray_api, access_control_allow_origin: "https://panel.example" } };

  it("keep no timer, of an app that is never started", io, (t) => {
    const timers = new KeptTimers(t);
    createApp(toConfig({ inbounds: many }));
    assert.equal(timers.count, 0);
  });

  for (const [what, broken] of [
    ["an outbound that cannot be read", { outbounds: upstream }],
    ["an API that is not included", { experimental: api }],
  ] as const) {
    it(`keep no timer, of a reload that is refused for ${what}`, io, async (t) => {
      const app = createApp(toConfig({ inbounds: mixed("in") }));
      closeAfter(t, app);
      await app.start();
      const timers = new KeptTimers(t);
      await assert.rejects(app.reload(toConfig({ inbounds: [mixed("in"), ...many], ...broken })));
      await until(() => timers.count === 0);
    });
  }

  it("are stopped all the same where a reload is refused", io, async (t) => {
    const { port: taken } = await listen(t, createServer());
    const { made, createApiServer } = recordApis();
    const app = new App(toConfig({ experimental: api }), { createApiServer });
    closeAfter(t, app);
    await app.start();
    await assert.rejects(app.reload(toConfig({ outbounds: upstream, experimental: otherApi })));
    const blocked = mixed("in", { listen_port: taken });
    await assert.rejects(app.reload(toConfig({ inbounds: blocked, experimental: otherApi })));
    assert.deepEqual(made, ["made", "stopped", "stopped"]);
  });

  it("are stopped all the same where the start fails, or does not come before the stop", io, async () => {
    const { made, createApiServer } = recordApis();
    const failing = new App(toConfig({ outbounds: upstream, experimental: api }), { createApiServer });
    await assert.rejects(failing.start(), { name: "StartError" });
    assert.deepEqual(made, ["stopped"]);
    await new App(toConfig({ experimental: api }), { createApiServer }).stop(AbortSignal.abort());
    assert.deepEqual(made, ["stopped", "stopped"]);
  });
});

describe("An app's part that cannot be opened again", () => {
  it("is logged, missed by nobody else, and back with a later reload", io, async (t) => {
    const logger = new RecordingLogger();
    let failures = 0;
    let openCount = 0;
    const createApiServer: CreateApiServer = () => () => ({
      start: async () => {
        if (failures-- > 0) throw new Error("no room");
        openCount += 1;
        return Promise.resolve({ host: "127.0.0.1", port: 7 });
      },
      stop: async () => {
        openCount -= 1;
        return Promise.resolve();
      },
    });
    const config = (origin: string) =>
      toConfig({
        inbounds: mixed("in"),
        experimental: {
          v2ray_api: { listen: "127.0.0.1:7", access_control_allow_origin: [`https://${origin}.example`] },
        },
      });
    const app = new App(config("a"), { createApiServer, logger });
    closeAfter(t, app);
    const before = await app.start();
    failures = 2;
    openCount = 2;
    await assert.rejects(app.reload(config("b")), { message: "v2ray_api: no room" });
    assert.deepEqual(logger.messages("error"), ["cannot be opened again: StartError: v2ray_api: no room"]);
    await connectTo(t, before.inbounds[0]?.address ?? assert.fail());
    openCount = 0;
    assert.deepEqual(await app.reload(config("a")), before);
    assert.equal(openCount, 1);
    await app.stop(AbortSignal.abort());
    assert.equal(openCount, 0);
  });
});

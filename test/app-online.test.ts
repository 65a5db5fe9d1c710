import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { App } from "../src/app.js";
import { toConfig } from "../src/config/to-config.js";
import { createApp } from "../src/index.js";
import type { Endpoint } from "../src/net/endpoint.js";
import { startDestination } from "./helpers/destination.js";
import { askProxy, openTunnel, proxyProtocols } from "./helpers/proxy.js";
import { closeAfter } from "./helpers/sockets.js";
import { associateSocks5 } from "./helpers/socks5-udp-client.js";
import { until } from "./helpers/timing.js";
import { startUdpEcho } from "./helpers/udp-echo.js";

const io = { timeout: 10_000 };
const alice = { username: "alice", password: "a" };
const bob = { username: "bob", password: "b" };

async function start(t: TestContext, stats: object, rules: readonly object[] = []) {
  const app = createApp(
    toConfig({
      inbounds: { type: "mixed", listen_port: 0, users: [alice, bob] },
      route: { rules },
      experimental: { v2ray_api: { stats: { enabled: true, users: "*", ...stats } } },
    }),
  );
  closeAfter(t, app);
  const [inbound] = (await app.start()).inbounds;
  return { app, proxy: inbound?.address ?? assert.fail("there is no inbound") };
}

function isOnline({ online }: App, user: string): boolean {
  return online.users().includes(user);
}

describe("an app's users", () => {
  for (const protocol of proxyProtocols) {
    it(`are online as long as a connection of theirs is open, through ${protocol}`, io, async (t) => {
      const destination = await startDestination(t);
      const { app, proxy } = await start(t, {});
      const open = async () =>
        openTunnel(t, { protocol, proxy, destination: destination.endpoint, user: alice });
      assert.equal(app.online.addressesOf("alice"), undefined);
      const clients = [await open(), await open()];
      assert.deepEqual(app.online.users(), ["alice"]);
      assert.deepEqual(app.online.addressesOf("alice"), ["127.0.0.1"]);
      clients.pop()?.resetAndDestroy();
      await until(() => app.connections.size === 1);
      assert.deepEqual(app.online.users(), ["alice"]);
      clients.pop()?.resetAndDestroy();
      await until(() => !isOnline(app, "alice"));
      assert.deepEqual(app.online.addressesOf("alice"), []);
      assert.equal(app.online.addressesOf("bob"), undefined);
    });
  }

  it("are online while they exchange packets", io, async (t) => {
    const { app, proxy } = await start(t, {});
    const echo = await startUdpEcho(t);
    const client = await associateSocks5(t, proxy, { user: bob });
    await client.send("ping", echo.endpoint);
    await client.receive();
    assert.deepEqual(app.online.users(), ["bob"]);
    assert.deepEqual(app.online.addressesOf("bob"), ["127.0.0.1"]);
    client.control.destroy();
    await until(() => !isOnline(app, "bob"));
  });

  /** A connection of alice's that stands. */
  async function connectAlice(t: TestContext, proxy: Endpoint): Promise<void> {
    const destination = await startDestination(t);
    await openTunnel(t, { protocol: "socks5", proxy, destination: destination.endpoint, user: alice });
  }

  it("are seen and not online from the machine itself, where the config leaves it out", io, async (t) => {
    const { app, proxy } = await start(t, { online_loopback: false });
    await connectAlice(t, proxy);
    assert.equal(app.connections.size, 1);
    assert.deepEqual(app.online.addressesOf("alice"), []);
  });

  for (const [stats, isKnown] of [
    [{ users: ["alice"] }, true],
    [{ users: ["bob"] }, false],
    [{ users: [] }, false],
    [{ enabled: false }, false],
  ] as const) {
    it(`are ${isKnown ? "known" : "unknown"} with ${JSON.stringify(stats)}`, io, async (t) => {
      const { app, proxy } = await start(t, stats);
      await connectAlice(t, proxy);
      assert.deepEqual(app.online.addressesOf("alice"), isKnown ? ["127.0.0.1"] : undefined);
    });
  }

  it("are not seen when they fail to log in or are rejected", io, async (t) => {
    const destination = await startDestination(t);
    const { app, proxy } = await start(t, {}, [{ auth_user: "alice", action: "reject" }]);
    const options = { protocol: "http", proxy, destination: destination.endpoint } as const;
    assert.equal((await askProxy(t, { ...options, user: alice })).answer, 403);
    assert.equal((await askProxy(t, { ...options, user: { ...bob, password: "x" } })).answer, 407);
    assert.deepEqual(
      ["alice", "bob"].map((user) => app.online.addressesOf(user)),
      [undefined, undefined],
    );
  });
});

import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it } from "node:test";
import type { User } from "../src/proxy/users.js";
import { askProxy } from "./helpers/proxy.js";
import { startReloadedApp } from "./helpers/reloaded-app.js";
import { closeAfter } from "./helpers/sockets.js";
import { associateSocks5 } from "./helpers/socks5-udp-client.js";
import { countersOf } from "./helpers/test-app.js";
import { failed, until } from "./helpers/timing.js";
import { startUdpEcho } from "./helpers/udp-echo.js";

const io = { timeout: 10_000 };
const alice: User = { username: "alice", password: "a" };
const bob: User = { username: "bob", password: "b" };

function mixed(tag: string, rest: object = {}): object {
  return { type: "mixed", tag, listen_port: 0, ...rest };
}

describe("App's reload, of rules and outbounds", () => {
  const outbounds = [
    { type: "direct", tag: "one" },
    { type: "block", tag: "no" },
  ];

  it("holds for the connections to come, and leaves those that are open where they are", io, async (t) => {
    const app = await startReloadedApp(t, { inbounds: mixed("in"), outbounds });
    const open = await app.open("in");
    await app.reload({ inbounds: mixed("in"), outbounds, route: { final: "no" } });
    await open.assertAlive();
    const options = {
      protocol: "socks5",
      proxy: app.proxyOf("in"),
      destination: app.destination.endpoint,
    } as const;
    assert.equal((await askProxy(t, options)).answer, 2);
    assert.deepEqual(app.reported, { added: undefined, changed: "route", removed: undefined });
  });

  it("holds for the next packet of a client, though the one before went the same way", io, async (t) => {
    const echo = await startUdpEcho(t);
    const app = await startReloadedApp(t, { inbounds: mixed("in"), outbounds });
    const client = await associateSocks5(t, app.proxyOf("in"));
    await client.send("one", echo.endpoint);
    await client.receive();
    await app.reload({ inbounds: mixed("in"), outbounds, route: { final: "no" } });
    await client.send("two", echo.endpoint);
    await until(() => app.logger.lines.some(({ message }) => message === "packet dropped"));
    assert.equal(echo.received.length, 1);
    await app.reload({ inbounds: mixed("in"), outbounds });
    await client.send("three", echo.endpoint);
    assert.equal((await client.receive()).payload.toString(), "three");
  });

  it("lets connections by an outbound that is changed or gone run to their end", io, async (t) => {
    const app = await startReloadedApp(t, {
      inbounds: mixed("in"),
      outbounds: [
        { type: "direct", tag: "goes" },
        { type: "direct", tag: "changes" },
      ],
      route: { rules: { network: "tcp", outbound: "goes" } },
    });
    const first = await app.open("in");
    await app.reload({
      inbounds: mixed("in"),
      outbounds: [
        { type: "direct", tag: "changes", connect_timeout: "7s" },
        { type: "direct", tag: "new" },
      ],
    });
    await first.assertAlive();
    await (await app.open("in")).assertAlive();
    assert.deepEqual(
      app.app.connections.list().map(({ metadata }) => metadata.outbound),
      ["goes", "changes"],
    );
    assert.deepEqual(app.reported, {
      ...{ added: "outbound new", changed: "outbound changes; route", removed: "outbound goes" },
    });
  });
});

describe("App's reload, of whom to count and of limits", () => {
  const withStats = (stats: object) => ({
    inbounds: mixed("in", { users: [alice, bob] }),
    experimental: { v2ray_api: { stats: { enabled: true, ...stats } } },
  });

  it("keeps what was counted listed, and counts who is named from there on", io, async (t) => {
    const app = await startReloadedApp(t, withStats({ users: "alice" }));
    const first = await app.open("in", alice);
    await first.assertAlive();
    await until(() => countersOf(app)["user>>>alice>>>traffic>>>downlink"] === 5n);
    await app.reload(withStats({ users: "bob" }));
    await (await app.open("in", alice)).assertAlive();
    await (await app.open("in", bob)).assertAlive();
    // Who was counted when they came is counted on.
    await first.assertAlive();
    await until(() => countersOf(app)["user>>>bob>>>traffic>>>downlink"] === 5n);
    await until(() => countersOf(app)["user>>>alice>>>traffic>>>downlink"] === 10n);
    assert.deepEqual(countersOf(app), {
      "user>>>alice>>>traffic>>>uplink": 8n,
      "user>>>alice>>>traffic>>>downlink": 10n,
      "user>>>bob>>>traffic>>>uplink": 4n,
      "user>>>bob>>>traffic>>>downlink": 5n,
    });
    assert.deepEqual(app.reported, {
      ...{ added: undefined, changed: "experimental.v2ray_api.stats", removed: undefined },
    });
  });

  it("keeps the counters of inbounds and users that are gone", io, async (t) => {
    const app = await startReloadedApp(t, withStats({ users: "*", inbounds: "*" }));
    await (await app.open("in", alice)).assertAlive();
    await until(() => countersOf(app)["user>>>alice>>>traffic>>>downlink"] === 5n);
    const before = countersOf(app);
    await app.reload({ experimental: { v2ray_api: { stats: { enabled: true } } } });
    assert.deepEqual(countersOf(app), before);
    assert.equal(app.app.store.size, 4);
  });

  it("tells of who is online as the new lists say", io, async (t) => {
    const app = await startReloadedApp(t, withStats({ users: "alice" }));
    await (await app.open("in", alice)).assertAlive();
    await (await app.open("in", bob)).assertAlive();
    assert.deepEqual(app.app.online.users(), ["alice"]);
    await app.reload(withStats({ users: "bob" }));
    assert.deepEqual(app.app.online.users(), ["bob"]);
    await app.reload(withStats({ users: "*", online_loopback: false }));
    assert.deepEqual(app.app.online.users(), []);
    await app.reload(withStats({ users: "*", enabled: false }));
    assert.equal(app.app.online.addressesOf("bob"), undefined);
  });

  it("sets another bound of counters", io, async (t) => {
    const app = await startReloadedApp(t, withStats({ users: "*", max_counters: 2 }));
    await (await app.open("in", alice)).assertAlive();
    await app.reload(withStats({ users: "*", max_counters: 4 }));
    await (await app.open("in", bob)).assertAlive();
    assert.equal(app.app.store.size, 4);
  });

  it("sets other limits, for the connections to come", io, async (t) => {
    const withLimit = (connections: number) => ({
      inbounds: mixed("in"),
      experimental: { limits: { connections } },
    });
    const app = await startReloadedApp(t, withLimit(9));
    const open = [await app.open("in"), await app.open("in")];
    await app.reload(withLimit(1));
    const refused = connect({ ...app.proxyOf("in") });
    closeAfter(t, refused);
    assert.equal((await failed(refused)).code, "ECONNRESET");
    for (const tunnel of open) await tunnel.assertAlive();
    await app.reload(withLimit(3));
    await (await app.open("in")).assertAlive();
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { App } from "../src/app.js";
import type { CreateApiServer } from "../src/create-api.js";
import { toConfig } from "../src/config/to-config.js";
import { startDestination } from "./helpers/destination.js";
import { connectTo } from "./helpers/proxy.js";
import { startReloadedApp } from "./helpers/reloaded-app.js";
import { closeAfter, closedPort } from "./helpers/sockets.js";
import { askSocks5, type Socks5Answer } from "./helpers/socks5-client.js";
import { associateSocks5 } from "./helpers/socks5-udp-client.js";
import { turns, until } from "./helpers/timing.js";
import { startUdpEcho } from "./helpers/udp-echo.js";
import { openUdpPeer } from "./helpers/udp-peer.js";

const io = { timeout: 10_000 };

function mixed(tag: string, rest: object = {}): object {
  return { type: "mixed", tag, listen_port: 0, ...rest };
}

describe("App's reload, of inbounds", () => {
  it("opens those that are new, and leaves the others and their connections alone", io, async (t) => {
    const app = await startReloadedApp(t, { inbounds: [mixed("a")] });
    const stays = await app.open("a");
    const before = app.proxyOf("a");
    await app.reload({ inbounds: [mixed("b"), mixed("a")] });
    assert.deepEqual(
      app.addresses.inbounds.map(({ tag, type }) => [tag, type]),
      [
        ["b", "mixed"],
        ["a", "mixed"],
      ],
    );
    assert.deepEqual(app.proxyOf("a"), before);
    await stays.assertAlive();
    await (await app.open("b")).assertAlive();
    await (await app.open("a")).assertAlive();
    assert.deepEqual(app.reported, { added: "inbound b", changed: undefined, removed: undefined });
    const told = app.logger.messages("info").filter((message) => message.includes(" listens on "));
    assert.deepEqual(told, [`inbound b listens on 127.0.0.1:${app.proxyOf("b").port}`]);
  });

  it("closes those that are gone, and cuts what came by them, TCP and UDP", io, async (t) => {
    const echo = await startUdpEcho(t);
    const app = await startReloadedApp(t, { inbounds: [mixed("stays"), mixed("goes")] });
    const proxy = app.proxyOf("goes");
    const [kept, cut] = [await app.open("stays"), await app.open("goes", undefined, "http")];
    const [keptUdp, cutUdp] = [
      await associateSocks5(t, app.proxyOf("stays")),
      await associateSocks5(t, proxy),
    ];
    for (const client of [keptUdp, cutUdp]) {
      client.control.on("error", () => undefined);
      await client.send("hello", echo.endpoint);
      await client.receive();
    }
    assert.equal(app.app.connections.size, 4);

    const ended = cutUdp.ended();
    await app.reload({ inbounds: mixed("stays") });
    await cut.assertCut();
    await ended;
    await until(() => app.app.connections.size === 2);
    await assert.rejects(connectTo(t, proxy), { code: "ECONNREFUSED" });
    await kept.assertAlive();
    await keptUdp.send("again", echo.endpoint);
    assert.equal((await keptUdp.receive()).payload.toString(), "again");
    assert.deepEqual(app.reported, { added: undefined, changed: undefined, removed: "inbound goes" });
  });

  it("opens one that has changed anew on its port, and cuts what came by it", io, async (t) => {
    closeAfter(t);
    const listen_port = await closedPort();
    const app = await startReloadedApp(t, { inbounds: [mixed("a", { listen_port }), mixed("b")] });
    const [cut, kept] = [await app.open("a"), await app.open("b")];
    await app.reload({ inbounds: [mixed("a", { listen_port, type: "http" }), mixed("b")] });
    await cut.assertCut();
    await kept.assertAlive();
    assert.equal(app.proxyOf("a").port, listen_port);
    await (await app.open("a", undefined, "http")).assertAlive();
    assert.deepEqual(app.reported, { added: undefined, changed: "inbound a", removed: undefined });
  });

  it("lets two of them exchange their ports", io, async (t) => {
    closeAfter(t);
    const [one, two] = [await closedPort(), await closedPort()];
    const inbounds = (a: number, b: number) => ({
      inbounds: [mixed("a", { listen_port: a }), mixed("b", { listen_port: b, type: "http" })],
    });
    const app = await startReloadedApp(t, inbounds(one, two));
    await app.reload(inbounds(two, one));
    assert.deepEqual([app.proxyOf("a").port, app.proxyOf("b").port], [two, one]);
    await (await app.open("a")).assertAlive();
    await (await app.open("b", undefined, "http")).assertAlive();
  });

  it("opens one of type direct anew on its port, TCP and UDP", io, async (t) => {
    closeAfter(t);
    const [first, second] = [await startUdpEcho(t), await startUdpEcho(t, { answerBytes: 1 })];
    const listen_port = await closedPort();
    const direct = ({ port }: { port: number }) => ({
      inbounds: { type: "direct", tag: "d", listen_port, override_address: "127.0.0.1", override_port: port },
    });
    const app = await startReloadedApp(t, direct(first.endpoint));
    const client = await openUdpPeer(t);
    await client.send("hello", app.proxyOf("d"));
    assert.equal((await client.receive()).payload.length, 5);
    assert.equal(app.app.connections.size, 1);
    await app.reload(direct(second.endpoint));
    assert.equal(app.app.connections.size, 0);
    await client.send("hello", app.proxyOf("d"));
    assert.equal((await client.receive()).payload.length, 1);
    await connectTo(t, app.proxyOf("d"));
  });

  it("lets who comes by a new one wait until the new rules hold", io, async (t) => {
    closeAfter(t);
    const listen_port = await closedPort();
    const destination = await startDestination(t);
    let asked: Promise<Socks5Answer> | undefined;
    const createApiServer: CreateApiServer = () => () => ({
      // The API comes last: the inbound is open, and the old rules hold.
      start: async () => {
        const client = await connectTo(t, { host: "127.0.0.1", port: listen_port });
        asked = askSocks5(client, destination.endpoint);
        await turns(50);
        return { host: "127.0.0.1", port: 1 };
      },
      stop: async () => Promise.resolve(),
    });
    const app = new App(toConfig({}), { createApiServer });
    closeAfter(t, app);
    await app.start();
    await app.reload(
      toConfig({
        inbounds: mixed("new", { listen_port }),
        outbounds: [{ type: "direct" }, { type: "block", tag: "no" }],
        route: { rules: { inbound: "new", outbound: "no" } },
        experimental: { v2ray_api: { listen: "127.0.0.1:0" } },
      }),
    );
    assert.equal((await asked)?.reply, 2);
    assert.equal(destination.acceptedCount, 0);
  });
});

describe("App's reload", () => {
  it("does nothing to what is the same", io, async (t) => {
    const config = { inbounds: mixed("in"), experimental: { v2ray_api: { listen: "127.0.0.1:0" } } };
    const app = await startReloadedApp(t, config);
    const before = app.addresses;
    const open = await app.open("in");
    await app.reload(config);
    await open.assertAlive();
    assert.deepEqual(app.addresses, before);
    assert.deepEqual(app.reported, { added: undefined, changed: undefined, removed: undefined });
  });

  it("waits for the one before it, and is refused after the stop", io, async (t) => {
    const app = await startReloadedApp(t, {});
    const first = app.app.reload(toConfig({ inbounds: mixed("a") }));
    const second = app.app.reload(toConfig({ inbounds: mixed("b") }));
    assert.deepEqual(
      (await first).inbounds.map(({ tag }) => tag),
      ["a"],
    );
    assert.deepEqual(
      (await second).inbounds.map(({ tag }) => tag),
      ["b"],
    );
    await app.app.stop(AbortSignal.abort());
    await assert.rejects(app.app.reload(toConfig({})), {
      ...{ name: "StartError", message: "reload: the app does not run" },
    });
  });

  it("is finished by a stop that comes meanwhile, which leaves nothing open", io, async (t) => {
    const app = await startReloadedApp(t, { inbounds: mixed("a") });
    const before = app.proxyOf("a");
    const running = app.reload({ inbounds: [mixed("a"), mixed("b")] });
    // The one that waits is not begun any more.
    const [waiting] = await Promise.all([
      assert.rejects(app.app.reload(toConfig({ inbounds: mixed("c") })), { name: "StartError" }),
      Promise.resolve().then(async () => app.app.stop(AbortSignal.abort())),
    ]);
    assert.equal(waiting, undefined);
    await running;
    for (const proxy of [before, app.proxyOf("b")]) {
      await assert.rejects(connectTo(t, proxy), { code: "ECONNREFUSED" });
    }
  });
});

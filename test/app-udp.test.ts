import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { App } from "../src/app.js";
import { toConfig } from "../src/config/to-config.js";
import type { User } from "../src/proxy/users.js";
import { eventually } from "./helpers/eventually.js";
import { connectTo } from "./helpers/proxy.js";
import { RecordingLogger } from "./helpers/recording-logger.js";
import { closeAfter } from "./helpers/sockets.js";
import { askSocks5, socks5Greeting, socks5Login } from "./helpers/socks5-client.js";
import { associateSocks5, type Socks5UdpClient } from "./helpers/socks5-udp-client.js";
import { countersAfter, countersOf, startTestApp, type TestApp } from "./helpers/test-app.js";
import { closed, until } from "./helpers/timing.js";
import { startUdpEcho } from "./helpers/udp-echo.js";
import { readAll } from "./helpers/bytes.js";

const io = { timeout: 10_000 };
const never = new AbortController().signal;
const alice: User = { username: "alice", password: "a" };
const bob: User = { username: "bob", password: "b" };

/** An app with rules, in which everything is counted. */
async function startRoutedApp(
  t: TestContext,
  route: object,
): Promise<TestApp & { readonly logger: RecordingLogger }> {
  const stats = { enabled: true, inbounds: ["in"], outbounds: ["one", "two", "no"], users: ["alice", "bob"] };
  const config = toConfig({
    inbounds: { type: "socks", tag: "in", listen_port: 0, users: [alice, bob] },
    outbounds: [
      { type: "direct", tag: "one" },
      { type: "direct", tag: "two" },
      { type: "block", tag: "no" },
    ],
    route,
    experimental: { v2ray_api: { stats } },
  });
  const logger = new RecordingLogger();
  const app = new App(config, { createApiServer: () => assert.fail("there is no API"), logger });
  closeAfter(t, app);
  const [inbound] = (await app.start()).inbounds;
  return { app, logger, proxy: inbound?.address ?? assert.fail("there is no inbound") };
}

/** Sends 10 bytes to an echo, and takes them back. */
async function moveTen(t: TestContext, client: Socks5UdpClient): Promise<void> {
  const echo = await startUdpEcho(t);
  await client.send("0123456789", echo.endpoint);
  assert.deepEqual(await client.receive(), { payload: Buffer.from("0123456789"), endpoint: echo.endpoint });
}

describe("App with SOCKS5 clients that send packets", () => {
  for (const user of [undefined, alice]) {
    it(`carries and counts them: ${user?.username ?? "nobody"}`, io, async (t) => {
      const app = await startTestApp(t, { users: user === undefined ? [] : [user] });
      const client = await associateSocks5(t, app.proxy, { ...(user && { user }) });
      await moveTen(t, client);
      await moveTen(t, client);
      await eventually(() => {
        assert.deepEqual(countersOf(app), countersAfter(user, { up: 20, down: 20 }));
      });
    });
  }

  it("counts each user's packets for that user", io, async (t) => {
    const app = await startRoutedApp(t, {});
    const clients = [
      await associateSocks5(t, app.proxy, { user: alice }),
      await associateSocks5(t, app.proxy, { user: bob }),
      await associateSocks5(t, app.proxy, { user: bob }),
    ];
    for (const client of clients) await moveTen(t, client);
    await eventually(() => {
      const downlinks = Object.entries(countersOf(app)).filter(([name]) => name.endsWith("downlink"));
      assert.deepEqual(Object.fromEntries(downlinks), {
        "inbound>>>in>>>traffic>>>downlink": 30n,
        "outbound>>>one>>>traffic>>>downlink": 30n,
        "user>>>alice>>>traffic>>>downlink": 10n,
        "user>>>bob>>>traffic>>>downlink": 20n,
      });
    });
  });

  it("sends them where its rules say", io, async (t) => {
    const app = await startRoutedApp(t, { rules: [{ auth_user: "bob", outbound: "two" }] });
    for (const user of [alice, bob]) await moveTen(t, await associateSocks5(t, app.proxy, { user }));
    const lines = app.logger.lines.filter(({ message }) => message === "connection opened");
    assert.deepEqual(
      lines.map(({ fields }) => [
        fields?.["user"],
        fields?.["network"],
        fields?.["outbound"],
        fields?.["rule"],
      ]),
      [
        ["alice", "udp", "one", "final"],
        ["bob", "udp", "two", "rules[0]"],
      ],
    );
  });

  it("drops and counts nothing where a rule blocks, and lets the client stay", io, async (t) => {
    const app = await startRoutedApp(t, { rules: [{ auth_user: "bob", outbound: "no" }] });
    const echo = await startUdpEcho(t);
    const client = await associateSocks5(t, app.proxy, { user: bob });
    await client.send("hello", echo.endpoint);
    await until(() => app.logger.messages("info").length === 1);
    assert.deepEqual(app.logger.messages("info"), ["packet dropped"]);
    assert.deepEqual([app.app.store.size, echo.received.length, client.control.readableEnded], [0, 0, false]);
  });

  it("lets nobody in with a wrong password, or without one", io, async (t) => {
    const app = await startTestApp(t, { users: [alice] });
    const wrong = await connectTo(t, app.proxy);
    wrong.end(Buffer.concat([socks5Greeting(2), socks5Login("alice", "wrong")]));
    assert.equal((await readAll(wrong)).toString("hex"), "05020101");
    const anonymous = await connectTo(t, app.proxy);
    anonymous.end(socks5Greeting(0));
    assert.equal((await readAll(anonymous)).toString("hex"), "05ff");
    assert.equal(app.app.store.size, 0);
  });

  it("gives no association over the type http", io, async (t) => {
    const config = toConfig({
      inbounds: { type: "http", listen_port: 0 },
      outbounds: { type: "direct" },
    });
    const app = new App(config, { createApiServer: () => assert.fail("there is no API") });
    closeAfter(t, app);
    const [inbound] = (await app.start()).inbounds;
    const client = await connectTo(t, inbound?.address ?? assert.fail());
    await assert.rejects(askSocks5(client, { host: "0.0.0.0", port: 0 }, undefined, 3));
    await closed(client.resume().end());
  });

  it("stops when they have left, or when it is cut", io, async (t) => {
    for (const isCut of [false, true]) {
      const { app, proxy } = await startTestApp(t);
      const client = await associateSocks5(t, proxy);
      await moveTen(t, client);
      client.control.on("error", () => undefined);
      const cut = new AbortController();
      let isStopped = false;
      const stopped = app.stop(isCut ? cut.signal : never).then(() => (isStopped = true));
      await moveTen(t, client);
      assert.equal(isStopped, false);
      if (isCut) cut.abort();
      else client.control.end();
      await Promise.all([stopped, client.ended()]);
    }
  });
});

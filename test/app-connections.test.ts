import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { readBytes } from "./helpers/bytes.js";
import { startDestination } from "./helpers/destination.js";
import { openTunnel, tunnelProtocols, askProxy } from "./helpers/proxy.js";
import { associateSocks5 } from "./helpers/socks5-udp-client.js";
import { startTestApp, type TestApp } from "./helpers/test-app.js";
import { closed, failed, until } from "./helpers/timing.js";
import { startUdpEcho } from "./helpers/udp-echo.js";

const io = { timeout: 10_000 };
const alice = { username: "alice", password: "wonderland" };

/** The only connection in the table. */
function onlyConnection({ app }: TestApp) {
  const [connection, ...others] = app.connections.list();
  assert.ok(connection !== undefined);
  assert.deepEqual(others, []);
  return connection;
}

describe("an app's connections", () => {
  for (const protocol of tunnelProtocols) {
    const user = protocol === "socks4" ? undefined : alice;

    it(`show who goes where through ${protocol}, and what has moved so far`, io, async (t) => {
      const destination = await startDestination(t);
      const test = await startTestApp(t, { users: user === undefined ? [] : [user] });
      const before = Date.now();
      const client = await openTunnel(t, {
        ...{ protocol, proxy: test.proxy, destination: destination.endpoint, user },
      });
      const remote = await destination.accept();
      client.write("four");
      await readBytes(remote, 4);
      remote.write("seven b");
      await readBytes(client, 7);
      await until(() => onlyConnection(test).downlinkBytes > 0);

      const { id, metadata, startedAtMs, uplinkBytes, downlinkBytes } = onlyConnection(test);
      assert.deepEqual(metadata, {
        ...{ inbound: "in", outbound: "out", user: user?.username, network: "tcp", rule: "final" },
        ...{ source: { host: "127.0.0.1", port: client.localPort }, destination: destination.endpoint },
      });
      assert.deepEqual([uplinkBytes, downlinkBytes], [4, 7]);
      assert.ok(startedAtMs >= before && startedAtMs <= Date.now());
      assert.deepEqual(test.app.connections.get(id), onlyConnection(test));
    });

    it(`are closed on both sides by their id, through ${protocol}`, io, async (t) => {
      const destination = await startDestination(t);
      const test = await startTestApp(t, { users: user === undefined ? [] : [user] });
      const client = await openTunnel(t, {
        ...{ protocol, proxy: test.proxy, destination: destination.endpoint, user },
      });
      const remote = await destination.accept();
      const failures = Promise.all([failed(client), failed(remote)]);
      client.resume();
      remote.resume();
      assert.equal(test.app.connections.close(onlyConnection(test).id), true);
      assert.deepEqual(
        (await failures).map(({ code }) => code),
        ["ECONNRESET", "ECONNRESET"],
      );
      await until(() => test.app.connections.size === 0);
    });
  }

  it("are gone when both sides have ended", io, async (t) => {
    const destination = await startDestination(t);
    const test = await startTestApp(t);
    const client = await openTunnel(t, {
      ...{ protocol: "socks5", proxy: test.proxy, destination: destination.endpoint },
    });
    const remote = await destination.accept();
    client.end();
    await once(remote.resume(), "end");
    assert.equal(test.app.connections.size, 1);
    remote.end();
    await closed(client.resume());
    await until(() => test.app.connections.size === 0);
    assert.equal(test.app.connections.close(1), false);
  });

  it("are none any more when the app has stopped", io, async (t) => {
    const destination = await startDestination(t);
    const echo = await startUdpEcho(t);
    const test = await startTestApp(t);
    await openTunnel(t, { protocol: "http", proxy: test.proxy, destination: destination.endpoint });
    const client = await associateSocks5(t, test.proxy);
    await client.send("hello", echo.endpoint);
    await client.receive();
    assert.equal(test.app.connections.size, 2);
    client.control.on("error", () => undefined);
    await test.app.stop(AbortSignal.abort());
    assert.equal(test.app.connections.size, 0);
  });

  it("do not show what is blocked or refused", io, async (t) => {
    const destination = await startDestination(t);
    for (const outbound of ["block", "direct"] as const) {
      const test = await startTestApp(t, { outbound });
      const { answer } = await askProxy(t, {
        ...{ protocol: "socks5", proxy: test.proxy, destination: { ...destination.endpoint, port: 1 } },
      });
      assert.notEqual(answer, 0);
      await until(() => test.app.connections.size === 0);
    }
  });

  it("show the packets of a client, and close them with its association", io, async (t) => {
    const echo = await startUdpEcho(t, { answerBytes: 9 });
    const test = await startTestApp(t, { users: [alice] });
    const client = await associateSocks5(t, test.proxy, { user: alice });
    assert.equal(test.app.connections.size, 0, "nothing is routed yet");
    await client.send("hello", echo.endpoint);
    await client.receive();
    await until(() => onlyConnection(test).downlinkBytes > 0);
    const { id, metadata, uplinkBytes, downlinkBytes } = onlyConnection(test);
    assert.deepEqual(metadata, {
      ...{ inbound: "in", outbound: "out", user: "alice", network: "udp", rule: "final" },
      ...{ source: { host: "127.0.0.1", port: client.control.localPort }, destination: echo.endpoint },
    });
    assert.deepEqual([uplinkBytes, downlinkBytes], [5, 9]);

    assert.equal(test.app.connections.close(id), true);
    await client.ended();
    await until(() => test.app.connections.size === 0);
  });
});

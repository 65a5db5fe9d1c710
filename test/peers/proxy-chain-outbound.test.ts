import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { User } from "../../src/proxy/users.js";
import { sha256 } from "../helpers/bytes.js";
import { readHttpAnswer } from "../helpers/http-client.js";
import { askOver } from "../helpers/http-over.js";
import { openOrigin } from "../helpers/open-origin.js";
import { Origin } from "../helpers/origin.js";
import { askProxy, connectTo, openTunnel, proxyProtocols } from "../helpers/proxy.js";
import { plainRequest, userOf, usersOf } from "../helpers/proxy-ways.js";
import { startProxyChain } from "../helpers/proxy-chain.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { closeAfter, closedPort } from "../helpers/sockets.js";
import { assertMoved, startTestApp, type TestApp, type TestAppOptions } from "../helpers/test-app.js";

const io = { timeout: 60_000 };
const host = "127.0.0.1";
const relayUser: User = { username: "relay", password: "between us: ä" };
const length = 2_000_001;

/** An app that leaves through proxy-chain, where `relayUser` may. */
async function startBehind(t: TestContext, login: User, options: TestAppOptions): Promise<TestApp> {
  const { port } = await startProxyChain(t, undefined, relayUser);
  const outbound = { type: "http", server: host, server_port: port, ...login };
  return startTestApp(t, { ...options, outbound });
}

describe("an outbound of type http, through npm's proxy-chain", () => {
  for (const protocol of proxyProtocols) {
    const user = userOf(protocol);
    it(`downloads by ${protocol}, every byte counted`, io, async (t) => {
      const origin = await openOrigin(t);
      const app = await startBehind(t, relayUser, { users: usersOf(protocol) });
      const destination = { host: "localhost", port: origin.port };
      const socket = await openTunnel(t, { protocol, proxy: app.proxy, destination, user });
      const { body } = await askOver(socket, `${origin.url}/bytes/${length}`);
      assert.equal(sha256(body), sha256(Origin.body(length)));
      await assertMoved(app, user, () => origin.moved);
      assert.ok(origin.moved.down > length);
    });

    it(`uploads by ${protocol}, every byte counted`, io, async (t) => {
      const origin = await openOrigin(t);
      const app = await startBehind(t, relayUser, { users: usersOf(protocol) });
      const destination = { host, port: origin.port };
      const socket = await openTunnel(t, { protocol, proxy: app.proxy, destination, user });
      const body = Origin.body(length);
      assert.equal((await askOver(socket, origin.url, { body })).body.toString(), sha256(body));
      await assertMoved(app, user, () => origin.moved);
      assert.ok(origin.moved.up > length);
    });

    it(`tells a client of ${protocol} that there is no connection`, io, async (t) => {
      closeAfter(t);
      const destination = { host, port: await closedPort() };
      const logger = new RecordingLogger();
      const app = await startBehind(t, relayUser, { users: usersOf(protocol), logger });
      const { answer } = await askProxy(t, { protocol, proxy: app.proxy, destination, user });
      assert.equal(answer, { socks5: 1, http: 502 }[protocol]);
      // That is all it says where a destination refuses.
      assert.match(logger.failures().join("\n"), /: connection closed before its answer$/m);
    });

    it(`tells a client of ${protocol} nothing of our login there that is wrong`, io, async (t) => {
      const logger = new RecordingLogger();
      const wrong = { ...relayUser, password: "zqxjkvbw" };
      const app = await startBehind(t, wrong, { users: usersOf(protocol), logger });
      const destination = { host: "example.com", port: 443 };
      const { answer } = await askProxy(t, { protocol, proxy: app.proxy, destination, user });
      assert.equal(answer, { socks5: 1, http: 502 }[protocol]);
      assert.match(logger.failures().join("\n"), /: it refuses our login \(407\): wrong username or /m);
      assert.ok(!JSON.stringify(logger.lines).includes(wrong.password));
      await assertMoved(app, user, () => ({ up: 0, down: 0 }));
    });
  }

  it("carries plain HTTP requests", io, async (t) => {
    const origin = await openOrigin(t);
    const app = await startBehind(t, relayUser, { users: usersOf("plain") });
    const client = await connectTo(t, app.proxy);
    client.end(plainRequest("GET", { destination: { host, port: origin.port } }, "Connection: close"));
    assert.equal((await readHttpAnswer(client)).status, 200);
    client.resume();
    await assertMoved(app, userOf("plain"), () => origin.moved);
    assert.ok(origin.moved.up > 0);
  });
});

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { User } from "../../src/proxy/users.js";
import { sha256 } from "../helpers/bytes.js";
import { askHttp } from "../helpers/http-client.js";
import { askOver } from "../helpers/http-over.js";
import { openOrigin } from "../helpers/open-origin.js";
import { Origin } from "../helpers/origin.js";
import { openTunnel, type TunnelProtocol } from "../helpers/proxy.js";
import { startProxyChain, type ProxyChain } from "../helpers/proxy-chain.js";
import { assertMoved, startTestApp, type TestApp } from "../helpers/test-app.js";

const io = { timeout: 60_000 };
const host = "127.0.0.1";
const alice: User = { username: "alice", password: "wonderland" };
const length = 3_000_001;

const ways: readonly (readonly [protocol: TunnelProtocol, user: User | undefined])[] = [
  ["socks4", undefined],
  ["socks5", undefined],
  ["socks5", alice],
  ["http", undefined],
  ["http", alice],
];

interface Chain {
  readonly app: TestApp;
  readonly second: ProxyChain;
  /** A client's connection to the second proxy, through the first one. */
  readonly socket: Socket;
}

async function openChain(t: TestContext, protocol: TunnelProtocol, user: User | undefined): Promise<Chain> {
  const app = await startTestApp(t, { users: user === undefined ? [] : [user] });
  const second = await startProxyChain(t);
  const destination = { host, port: second.port };
  const socket = await openTunnel(t, { protocol, proxy: app.proxy, destination, user });
  return { app, second, socket };
}

describe("npm's proxy-chain behind the proxy", () => {
  for (const [protocol, user] of ways) {
    const way = `${protocol}${user === undefined ? "" : " with a login"}`;

    it(`gets plain requests by ${way}; counted is what it sees of its client`, io, async (t) => {
      const origin = await openOrigin(t);
      const { app, second, socket } = await openChain(t, protocol, user);
      const { body } = await askOver(socket, `${origin.url}/bytes/${length}`, { absoluteForm: true });
      assert.equal(sha256(body), sha256(Origin.body(length)));
      await assertMoved(app, user, () => second.traffic);
      assert.ok(second.traffic.down > length);
    });

    it(`gets plain uploads by ${way}; counted is what it sees of its client`, io, async (t) => {
      const origin = await openOrigin(t);
      const { app, second, socket } = await openChain(t, protocol, user);
      const body = Origin.body(length);
      const answer = await askOver(socket, `${origin.url}/`, { absoluteForm: true, body });
      assert.equal(answer.body.toString(), sha256(body));
      await assertMoved(app, user, () => second.traffic);
      assert.ok(second.traffic.up > length);
    });

    it(`gets CONNECT by ${way}; counted is what it sees of its client`, io, async (t) => {
      const origin = await openOrigin(t, "https");
      const { app, second, socket } = await openChain(t, protocol, user);
      assert.equal((await askHttp(socket, { host, port: origin.port })).status, 200);
      const { body } = await askOver(socket, `${origin.url}/bytes/${length}`);
      assert.equal(sha256(body), sha256(Origin.body(length)));
      await assertMoved(app, user, () => second.traffic);
      assert.ok(second.traffic.down > length);
    });
  }
});

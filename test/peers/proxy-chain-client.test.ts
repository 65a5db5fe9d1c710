import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { anonymizeProxy, closeAnonymizedProxy } from "proxy-chain";
import type { User } from "../../src/proxy/users.js";
import { sha256 } from "../helpers/bytes.js";
import { askHttp } from "../helpers/http-client.js";
import { askOver, type HttpOverAnswer } from "../helpers/http-over.js";
import { openOrigin } from "../helpers/open-origin.js";
import { Origin } from "../helpers/origin.js";
import { connectTo } from "../helpers/proxy.js";
import { startProxyChain } from "../helpers/proxy-chain.js";
import { closeAfter, closedPort } from "../helpers/sockets.js";
import { assertMoved, countersAfter, countersOf, startTestApp, type TestApp } from "../helpers/test-app.js";

const io = { timeout: 60_000 };
const host = "127.0.0.1";
const alice: User = { username: "alice", password: "wonder:land" };
const wrong: User = { ...alice, password: "rabbit" };
const length = 3_000_001;
const nothing = { up: 0, down: 0 };

/** In which protocol proxy-chain speaks to our proxy. */
interface Way {
  readonly scheme: "http" | "socks4" | "socks5";
  readonly user?: User;
}

const ways: readonly Way[] = [
  { scheme: "http" },
  { scheme: "http", user: alice },
  { scheme: "socks4" },
  { scheme: "socks5" },
  { scheme: "socks5", user: alice },
];

function titleOf({ scheme, user }: Way): string {
  return user === undefined ? scheme : `${scheme} with a login`;
}

function urlOf({ proxy }: TestApp, { scheme, user }: Way): string {
  const login = user && `${user.username}:${encodeURIComponent(user.password)}@`;
  return `${scheme}://${login ?? ""}${proxy.host}:${proxy.port}`;
}

/** Asks the proxy at that port for a URL of scheme http. */
async function askPlain(t: TestContext, port: number, url: string, body?: Buffer): Promise<HttpOverAnswer> {
  const socket = await connectTo(t, { host, port });
  return askOver(socket, url, { absoluteForm: true, ...(body && { body }) });
}

/** The status that CONNECT is answered with. */
async function askConnect(t: TestContext, port: number, destination: number): Promise<number> {
  return (await askHttp(await connectTo(t, { host, port }), { host, port: destination })).status;
}

/** Asks for a URL through a connection that the proxy at that port opens. */
async function askThrough(
  t: TestContext,
  port: number,
  origin: Origin,
  path: string,
): Promise<HttpOverAnswer> {
  const socket = await connectTo(t, { host, port });
  assert.equal((await askHttp(socket, { host, port: origin.port })).status, 200);
  return askOver(socket, `${origin.url}${path}`);
}

describe("npm's proxy-chain in front of the proxy", () => {
  for (const way of ways) {
    const users = way.user === undefined ? [] : [way.user];

    it(`passes plain downloads on by ${titleOf(way)}, every byte counted`, io, async (t) => {
      const origin = await openOrigin(t);
      const app = await startTestApp(t, { users });
      const { port } = await startProxyChain(t, urlOf(app, way));
      const { status, body } = await askPlain(t, port, `${origin.url}/bytes/${length}`);
      assert.equal(status, 200);
      assert.equal(sha256(body), sha256(Origin.body(length)));
      await assertMoved(app, way.user, () => origin.moved);
      assert.ok(origin.moved.down > length);
    });

    it(`passes plain uploads on by ${titleOf(way)}, every byte counted`, io, async (t) => {
      const origin = await openOrigin(t);
      const app = await startTestApp(t, { users });
      const { port } = await startProxyChain(t, urlOf(app, way));
      const body = Origin.body(length);
      const answer = await askPlain(t, port, `${origin.url}/`, body);
      assert.equal(answer.body.toString(), sha256(body));
      await assertMoved(app, way.user, () => origin.moved);
      assert.ok(origin.moved.up > length);
    });

    for (const scheme of ["http", "https"] as const) {
      it(`opens tunnels to an ${scheme} origin by ${titleOf(way)}, every byte counted`, io, async (t) => {
        const origin = await openOrigin(t, scheme);
        const app = await startTestApp(t, { users });
        const { port } = await startProxyChain(t, urlOf(app, way));
        const { body } = await askThrough(t, port, origin, `/bytes/${length}`);
        assert.equal(sha256(body), sha256(Origin.body(length)));
        await assertMoved(app, way.user, () => origin.moved);
        assert.ok(origin.moved.down > length);
      });
    }

    it(`hears by ${titleOf(way)} that a destination refuses, which leaves counters at 0`, io, async (t) => {
      const app = await startTestApp(t, { users });
      const { port } = await startProxyChain(t, urlOf(app, way));
      const status = await askConnect(t, port, await closedPort());
      assert.ok(status >= 500 && status < 600, `${status}`);
      assert.deepEqual(countersOf(app), countersAfter(way.user, nothing));
    });
  }

  for (const scheme of ["http", "socks5"] as const) {
    it(`is refused by ${scheme} with a wrong password, and nothing is counted`, io, async (t) => {
      const app = await startTestApp(t, { users: [alice] });
      const { port } = await startProxyChain(t, urlOf(app, { scheme, user: wrong }));
      assert.equal(await askConnect(t, port, await closedPort()), 597);
      const { status } = await askPlain(t, port, `http://${host}:${await closedPort()}/`);
      assert.ok(status >= 500 && status < 600, `${status}`);
      assert.deepEqual(countersOf(app), {});
    });
  }

  it("takes the login off its clients (anonymizeProxy)", io, async (t) => {
    const origin = await openOrigin(t);
    const app = await startTestApp(t, { users: [alice] });
    const url = await anonymizeProxy(urlOf(app, { scheme: "http", user: alice }));
    closeAfter(t, {
      [Symbol.asyncDispose]: async () => {
        await closeAnonymizedProxy(url, true);
      },
    });
    const port = Number(new URL(url).port);
    const plain = await askPlain(t, port, `${origin.url}/bytes/${length}`);
    const tunnelled = await askThrough(t, port, origin, `/bytes/${length}`);
    for (const { body } of [plain, tunnelled]) assert.equal(sha256(body), sha256(Origin.body(length)));
    await assertMoved(app, alice, () => origin.moved);
    assert.ok(origin.moved.down > 2 * length);
  });
});

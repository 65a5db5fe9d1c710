import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { SocksClient, SocksClientError, type SocksProxy } from "socks";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { User } from "../../src/proxy/users.js";
import { sha256 } from "../helpers/bytes.js";
import { askOver } from "../helpers/http-over.js";
import { openOrigin } from "../helpers/open-origin.js";
import { Origin } from "../helpers/origin.js";
import { closeAfter, closedPort } from "../helpers/sockets.js";
import { assertMoved, countersAfter, countersOf, startTestApp } from "../helpers/test-app.js";

const io = { timeout: 60_000 };
const alice: User = { username: "alice", password: "wonderland" };
const length = 3_000_001;
const nothing = { up: 0, down: 0 };

/** How npm's socks reaches one proxy. */
interface Way {
  readonly title: string;
  readonly type: 4 | 5;
  /** How it names the origin. */
  readonly host: string;
  /** What the proxy's answer is long, and the client's messages are, where another proxy carries them. */
  readonly handshake: { readonly up: number; readonly down: number };
  readonly user?: User;
}

const ways: readonly Way[] = [
  { title: "SOCKS4", type: 4, host: "127.0.0.1", handshake: { up: 9, down: 8 } },
  { title: "SOCKS4a", type: 4, host: "localhost", handshake: { up: 19, down: 8 } },
  { title: "SOCKS5", type: 5, host: "127.0.0.1", handshake: { up: 3 + 10, down: 2 + 10 } },
  { title: "SOCKS5 with a name", type: 5, host: "localhost", handshake: { up: 3 + 16, down: 2 + 10 } },
  {
    title: "SOCKS5 with a login",
    type: 5,
    host: "127.0.0.1",
    handshake: { up: 4 + 18 + 10, down: 2 + 2 + 10 },
    user: alice,
  },
];

function toSocksProxy({ host, port }: Endpoint, { type, user }: Pick<Way, "type" | "user">): SocksProxy {
  return { host, port, type, ...(user && { userId: user.username, password: user.password }) };
}

async function connect(t: TestContext, proxy: SocksProxy, destination: Endpoint) {
  const { socket } = await SocksClient.createConnection({ proxy, command: "connect", destination });
  closeAfter(t, socket);
  return socket;
}

describe("npm's socks", () => {
  for (const way of ways) {
    const users = way.user === undefined ? [] : [way.user];

    for (const scheme of ["http", "https"] as const) {
      it(`downloads by ${way.title} from an ${scheme} origin, every byte counted`, io, async (t) => {
        const origin = await openOrigin(t, scheme);
        const app = await startTestApp(t, { users });
        const destination = { host: way.host, port: origin.port };
        const socket = await connect(t, toSocksProxy(app.proxy, way), destination);
        const { body } = await askOver(socket, `${origin.url}/bytes/${length}`);
        assert.equal(sha256(body), sha256(Origin.body(length)));
        await assertMoved(app, way.user, () => origin.moved);
        assert.ok(origin.moved.down > length);
      });
    }

    it(`uploads by ${way.title}, every byte counted`, io, async (t) => {
      const origin = await openOrigin(t);
      const app = await startTestApp(t, { users });
      const destination = { host: way.host, port: origin.port };
      const socket = await connect(t, toSocksProxy(app.proxy, way), destination);
      const body = Origin.body(length);
      const answer = await askOver(socket, origin.url, { body });
      assert.equal(answer.body.toString(), sha256(body));
      await assertMoved(app, way.user, () => origin.moved);
      assert.ok(origin.moved.up > length);
    });

    it(
      `reaches a second proxy by ${way.title} through a first one, which carries the handshake`,
      io,
      async (t) => {
        const origin = await openOrigin(t);
        const first = await startTestApp(t);
        const second = await startTestApp(t, { users });
        const { socket } = await SocksClient.createConnectionChain({
          proxies: [toSocksProxy(first.proxy, { type: 5 }), toSocksProxy(second.proxy, way)],
          command: "connect",
          destination: { host: way.host, port: origin.port },
        });
        closeAfter(t, socket);
        const { body } = await askOver(socket, `${origin.url}/bytes/${length}`);
        assert.equal(sha256(body), sha256(Origin.body(length)));
        await assertMoved(second, way.user, () => origin.moved);
        await assertMoved(first, undefined, () => ({
          up: origin.moved.up + way.handshake.up,
          down: origin.moved.down + way.handshake.down,
        }));
      },
    );
  }

  const refusals: readonly (readonly [
    title: string,
    proxy: Pick<Way, "type" | "user">,
    users: readonly User[],
  ])[] = [
    ["SOCKS4 where there are users", { type: 4, user: alice }, [alice]],
    ["SOCKS5 without a login where one is needed", { type: 5 }, [alice]],
    ["SOCKS5 with a wrong password", { type: 5, user: { ...alice, password: "rabbit" } }, [alice]],
  ];
  for (const [title, way, users] of refusals) {
    it(`is refused by ${title}, and nothing is counted`, io, async (t) => {
      const app = await startTestApp(t, { users });
      const destination = { host: "127.0.0.1", port: await closedPort() };
      await assert.rejects(connect(t, toSocksProxy(app.proxy, way), destination), SocksClientError);
      assert.deepEqual(countersOf(app), {});
    });
  }

  const failures: readonly (readonly [type: 4 | 5, message: RegExp])[] = [
    [4, /Socks4 Proxy rejected connection - \(Failed\)/],
    [5, /Socks5 proxy rejected connection - ConnectionRefused/],
  ];
  for (const [type, message] of failures) {
    it(`hears by SOCKS${type} that the destination refuses, which leaves counters at 0`, io, async (t) => {
      const app = await startTestApp(t);
      const destination = { host: "127.0.0.1", port: await closedPort() };
      await assert.rejects(connect(t, toSocksProxy(app.proxy, { type }), destination), { message });
      assert.deepEqual(countersOf(app), countersAfter(undefined, nothing));
    });
  }
});

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { User } from "../../src/proxy/users.js";
import { sha256 } from "../helpers/bytes.js";
import { eventually } from "../helpers/eventually.js";
import { askOver } from "../helpers/http-over.js";
import { openOrigin } from "../helpers/open-origin.js";
import { Origin } from "../helpers/origin.js";
import { needs } from "../helpers/outside-client.js";
import { openTunnel } from "../helpers/proxy.js";
import { createRandom } from "../helpers/random.js";
import { associateSocks5 } from "../helpers/socks5-udp-client.js";
import { countersAfter, countersOf, startTestApp, type Moved, type TestApp } from "../helpers/test-app.js";
import { startUdpEcho } from "../helpers/udp-echo.js";
import { startV2Ray, type V2Ray } from "../helpers/v2ray.js";

const io = { timeout: 60_000 };
const alice: User = { username: "alice", password: "wonderland" };
/** As whom the first of two proxies logs in to the second. */
const relay: User = { username: "relay", password: "between us" };
const length = 500_001;

interface Chain {
  readonly app: TestApp;
  readonly v2ray: V2Ray;
  /** Where the first of the two proxies takes SOCKS5 clients, as alice. */
  readonly entrance: Endpoint;
  /** Who is counted by ours, and by V2Ray. */
  readonly users: { readonly app: User; readonly v2ray: User };
  /** What V2Ray's outbound has beside the payload: its own handshake with us, and a header of ten bytes a packet. */
  readonly overhead: (packetCount: number) => Moved;
}

const none = (): Moved => ({ up: 0, down: 0 });
const ofSocks = (packetCount: number): Moved => ({
  up: 3 + (3 + relay.username.length + relay.password.length) + 10 + 10 * packetCount,
  down: 2 + 2 + 10 + 10 * packetCount,
});

/** We dial its SOCKS inbound, or it dials ours. */
const chains: readonly (readonly [title: string, start: (t: TestContext) => Promise<Chain>])[] = [
  [
    "behind us",
    async (t) => {
      const v2ray = await startV2Ray(t, relay);
      const outbound = { type: "socks", server: "127.0.0.1", server_port: v2ray.socksPort, ...relay };
      const app = await startTestApp(t, { users: [alice], outbound });
      return { app, v2ray, entrance: app.proxy, users: { app: alice, v2ray: relay }, overhead: none };
    },
  ],
  [
    "before us",
    async (t) => {
      const app = await startTestApp(t, { users: [relay] });
      const users = [{ user: relay.username, pass: relay.password }];
      const servers = [{ address: app.proxy.host, port: app.proxy.port, users }];
      const v2ray = await startV2Ray(t, alice, { outbound: { protocol: "socks", settings: { servers } } });
      const entrance = { host: "127.0.0.1", port: v2ray.socksPort };
      return { app, v2ray, entrance, users: { app: relay, v2ray: alice }, overhead: ofSocks };
    },
  ],
];

/** What V2Ray counts of one of its users, or outbounds. */
async function movedBy(v2ray: V2Ray, subject: string): Promise<Moved> {
  const counters = await v2ray.queryCounters();
  const of = (direction: string): number =>
    Number(counters[`${subject}>>>traffic>>>${direction}`] ?? assert.fail(`no ${subject} in its counters`));
  return { up: of("uplink"), down: of("downlink") };
}

describe("V2Ray 4", { ...needs("v2ray"), concurrency: 1 }, () => {
  for (const [title, start] of chains) {
    it(`${title} counts for its user what we count for ours, to the byte of the payload`, io, async (t) => {
      const chain = await start(t);
      const origin = await openOrigin(t);
      const destination = { host: "127.0.0.1", port: origin.port };
      for (const body of [undefined, Origin.body(length)]) {
        const socket = await openTunnel(t, {
          ...{ protocol: "socks5", proxy: chain.entrance, destination, user: alice },
        });
        const url = body === undefined ? `${origin.url}/bytes/${length}` : origin.url;
        const answer = await askOver(socket, url, body === undefined ? {} : { body });
        assert.equal(sha256(answer.body), sha256(body === undefined ? Origin.body(length) : answer.body));
      }
      assert.ok(origin.moved.up > length && origin.moved.down > length);
      await eventually(() => {
        assert.deepEqual(countersOf(chain.app), countersAfter(chain.users.app, origin.moved));
      });
      const { username } = chain.users.v2ray;
      assert.deepEqual(await movedBy(chain.v2ray, `user>>>${username}`), origin.moved);
    });

    it(`${title} counts for its outbound the packets that we count for our user`, io, async (t) => {
      const chain = await start(t);
      const echo = await startUdpEcho(t, { answerBytes: 900 });
      const client = await associateSocks5(t, chain.entrance, { user: alice });
      const sizes = [1, 100, 1_200];
      for (const bytes of sizes) {
        await client.send(createRandom(bytes).bytes(bytes), echo.endpoint);
        assert.equal((await client.receive()).payload.length, 900);
      }
      assert.deepEqual(echo.moved, { up: 1_301, down: 2_700 });
      await eventually(() => {
        assert.deepEqual(countersOf(chain.app), countersAfter(chain.users.app, echo.moved));
      });
      const { up, down } = chain.overhead(sizes.length);
      assert.deepEqual(await movedBy(chain.v2ray, "outbound>>>out"), {
        up: echo.moved.up + up,
        down: echo.moved.down + down,
      });
      await client.close();
    });
  }
});

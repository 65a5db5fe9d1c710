import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { SocksClient } from "socks";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { User } from "../../src/proxy/users.js";
import { eventually } from "../helpers/eventually.js";
import { closeAfter } from "../helpers/sockets.js";
import { countersAfter, countersOf, startTestApp, type TestApp } from "../helpers/test-app.js";
import { closed, until } from "../helpers/timing.js";
import { startUdpEcho } from "../helpers/udp-echo.js";
import { openUdpPeer, type UdpPeer } from "../helpers/udp-peer.js";

const io = { timeout: 30_000 };
const alice: User = { username: "alice", password: "wonderland" };

/** What the library tells of an association that stands. */
interface Established {
  readonly socket: Socket;
  readonly remoteHost?: Endpoint;
}

interface Association {
  readonly established: Established;
  readonly peer: UdpPeer;
  /** Sends a payload, packed by the library, and unpacks what comes back. */
  readonly ask: (
    payload: Buffer,
    to: Endpoint,
  ) => Promise<{ readonly payload: Buffer; readonly from: Endpoint }>;
}

/** Associates as npm's socks does. */
async function associate(t: TestContext, { proxy }: TestApp, user?: User): Promise<Association> {
  const client = new SocksClient({
    proxy: {
      ...{ host: proxy.host, port: proxy.port, type: 5 },
      ...(user && { userId: user.username, password: user.password }),
    },
    command: "associate",
    destination: { host: "0.0.0.0", port: 0 },
  });
  client.connect();
  const [established] = (await once(client, "established")) as [Established];
  closeAfter(t, established.socket);
  const { host, port } = established.remoteHost ?? assert.fail("no relay is named");
  const peer = await openUdpPeer(t);
  return {
    established,
    peer,
    ask: async (payload, to) => {
      const frame = SocksClient.createUDPFrame({ remoteHost: to, data: payload });
      await peer.send(frame, { host, port });
      const { remoteHost, data } = SocksClient.parseUDPFrame((await peer.receive()).payload);
      return { payload: data, from: { host: remoteHost.host, port: remoteHost.port } };
    },
  };
}

describe("npm's socks over UDP", () => {
  for (const user of [undefined, alice]) {
    for (const host of ["127.0.0.1", "localhost"]) {
      it(`sends to ${host} as ${user?.username ?? "anybody"}, every byte counted`, io, async (t) => {
        const echo = await startUdpEcho(t, { answerBytes: 700 });
        const app = await startTestApp(t, { users: user === undefined ? [] : [user] });
        const { ask } = await associate(t, app, user);
        for (const length of [0, 1, 1_200, 9_000, 60_000]) {
          const answer = await ask(Buffer.alloc(length, "x"), { host, port: echo.endpoint.port });
          assert.equal(answer.payload.length, 700);
          assert.deepEqual(answer.from, echo.endpoint);
        }
        assert.deepEqual(echo.moved, { up: 70_201, down: 3_500 });
        await eventually(() => {
          assert.deepEqual(countersOf(app), countersAfter(user, echo.moved));
        });
      });
    }
  }

  it("ends its association with its connection", io, async (t) => {
    const echo = await startUdpEcho(t);
    const app = await startTestApp(t);
    const { established, ask } = await associate(t, app);
    await ask(Buffer.from("hello"), echo.endpoint);
    assert.equal(app.app.connections.size, 1);
    established.socket.destroy();
    await closed(established.socket);
    await until(() => app.app.connections.size === 0);
  });
});

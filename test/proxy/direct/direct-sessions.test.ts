import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Endpoint } from "../../../src/net/endpoint.js";
import { DirectSessions, type DirectSessionsOptions } from "../../../src/proxy/direct/direct-sessions.js";
import type { PacketRequest } from "../../../src/proxy/inbound.js";
import { PacketInbox, sendPacket } from "../../helpers/packet-inbox.js";
import { closeAfter } from "../../helpers/sockets.js";
import { turns, until } from "../../helpers/timing.js";
import { openUdpPeer } from "../../helpers/udp-peer.js";

const io = { timeout: 10_000 };
const never = new AbortController().signal;
const destination: Endpoint = { host: "service.test", port: 53 };
const remote: Endpoint = { host: "192.0.2.1", port: 53 };

/** A session as it was handed over. */
interface Handed {
  readonly request: PacketRequest;
  readonly inbox: PacketInbox;
}

interface Fixture {
  readonly sessions: DirectSessions;
  readonly handed: readonly Handed[];
}

function open(t: TestContext, options: Partial<DirectSessionsOptions> = {}): Fixture {
  closeAfter(t);
  const handed: Handed[] = [];
  const sessions = new DirectSessions({
    inbound: "in",
    listen: { host: "127.0.0.1", port: 0 },
    destination,
    onPackets: async (request) => {
      handed.push({ request, inbox: new PacketInbox(request.client) });
      await request.client.closed;
    },
    maxCount: 100,
    idleTimeoutMs: 60_000,
    ...options,
  });
  closeAfter(t, { [Symbol.asyncDispose]: async () => sessions.stop(AbortSignal.abort()) });
  return { sessions, handed };
}

describe("DirectSessions", () => {
  it("say where they listen", io, async (t) => {
    const { sessions } = open(t);
    assert.equal(sessions.local.host, "127.0.0.1");
    assert.notEqual(sessions.local.port, 0);
    await turns(1);
  });

  it("cannot listen where somebody else does", io, (t) => {
    const { sessions } = open(t);
    const { host, port } = sessions.local;
    assert.throws(() => open(t, { listen: sessions.local }), {
      name: "ListenError",
      message: `listen ${host}:${port}: address in use`,
    });
  });

  it("hand each client over once, with its first packet", io, async (t) => {
    const { sessions, handed } = open(t);
    const peers = [await openUdpPeer(t), await openUdpPeer(t), await openUdpPeer(t, { host: "127.0.0.2" })];
    for (const round of [1, 2]) {
      for (const peer of peers) {
        await peer.send(`${round} ${peer.local.port}`, sessions.local);
        await until(() => handed.some(({ request }) => request.source.port === peer.local.port));
      }
    }
    assert.deepEqual(
      handed.map(({ request: { inbound, user, source } }) => [inbound, user, source]),
      peers.map(({ local }) => ["in", undefined, local]),
    );
    for (const { request, inbox } of handed) {
      for (const round of [1, 2]) {
        assert.deepEqual(await inbox.nextText(), [`${round} ${request.source.port}`, destination]);
      }
    }
  });

  it("send each client its own answers", io, async (t) => {
    const { sessions, handed } = open(t);
    const peers = [await openUdpPeer(t), await openUdpPeer(t)];
    for (const peer of peers) await peer.send("hello", sessions.local);
    await until(() => handed.length === 2);
    for (const { request } of handed) await sendPacket(request.client, `to ${request.source.port}`, remote);
    for (const peer of peers) {
      const { payload, endpoint } = await peer.receive();
      assert.deepEqual([payload.toString(), endpoint], [`to ${peer.local.port}`, sessions.local]);
      assert.equal(peer.waitingCount, 0);
    }
  });

  it("serve clients of both families at ::", io, async (t) => {
    const { sessions, handed } = open(t, { listen: { host: "::", port: 0 } });
    for (const host of ["127.0.0.1", "::1"]) {
      const peer = await openUdpPeer(t, { host });
      await peer.send("hello", { host, port: sessions.local.port });
      await until(() => handed.at(-1)?.request.source.host === host);
      await sendPacket(handed.at(-1)?.request.client ?? assert.fail(), "answer", remote);
      assert.equal((await peer.receive()).payload.toString(), "answer");
    }
  });

  it("begin a client's session anew when it sends after the end of one", io, async (t) => {
    const { sessions, handed } = open(t);
    const peer = await openUdpPeer(t);
    await peer.send("one", sessions.local);
    await until(() => handed.length === 1);
    handed[0]?.request.client.close();
    await peer.send("two", sessions.local);
    await until(() => handed.length === 2);
    assert.deepEqual(await handed[1]?.inbox.nextText(), ["two", destination]);
    assert.equal(handed[0]?.inbox.waitingCount, 1);
  });

  it("end a session that nothing has passed through", io, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { sessions, handed } = open(t, { idleTimeoutMs: 1_000 });
    const peer = await openUdpPeer(t);
    await peer.send("hello", sessions.local);
    await until(() => handed.length === 1);
    t.mock.timers.tick(1_000);
    await handed[0]?.request.client.closed;
  });
});

describe("DirectSessions' bound", () => {
  it("makes the one that has been silent longest give way", io, async (t) => {
    const { sessions, handed } = open(t, { maxCount: 2 });
    const [a, b, c] = [await openUdpPeer(t), await openUdpPeer(t), await openUdpPeer(t)];
    const over: number[] = [];
    const sendFrom = async (peer: typeof a, sessionCount: number, packetCount: number) => {
      const before = handed.length;
      const { port } = peer.local;
      await peer.send("x", sessions.local);
      await until(() => handed.length === sessionCount);
      if (handed.length > before) {
        const { client } = handed.at(-1)?.request ?? assert.fail();
        void client.closed.then(() => over.push(port));
      }
      const waiting = () => handed.reduce((sum, { inbox }) => sum + inbox.waitingCount, 0);
      await until(() => waiting() === packetCount);
    };
    await sendFrom(a, 1, 1);
    await sendFrom(b, 2, 2);
    await sendFrom(a, 2, 3);
    await sendFrom(c, 3, 4);
    await turns(2);
    assert.deepEqual(over, [b.local.port]);
    await sendFrom(b, 4, 5);
    await turns(2);
    assert.deepEqual(over, [b.local.port, a.local.port]);
    await sendFrom(c, 4, 6);
    await sendFrom(b, 4, 7);
  });

  it("has room for a client whose session ended by itself", io, async (t) => {
    const { sessions, handed } = open(t, { maxCount: 1 });
    const [a, b] = [await openUdpPeer(t), await openUdpPeer(t)];
    await a.send("x", sessions.local);
    await until(() => handed.length === 1);
    handed[0]?.request.client.close();
    await turns(1);
    await b.send("x", sessions.local);
    await until(() => handed.length === 2);
    let isOver = false;
    void handed[1]?.request.client.closed.then(() => (isOver = true));
    await turns(2);
    assert.equal(isOver, false);
  });
});

describe("DirectSessions' stop", () => {
  it("frees the port at once where nobody has sent anything, and may come twice", io, async (t) => {
    const { sessions } = open(t);
    await sessions.stop(never);
    await sessions.stop(never);
    open(t, { listen: sessions.local });
  });

  it("lets sessions live until they end, and takes no new clients", io, async (t) => {
    const { sessions, handed } = open(t);
    const [old, late] = [await openUdpPeer(t), await openUdpPeer(t)];
    await old.send("one", sessions.local);
    await until(() => handed.length === 1);
    let isStopped = false;
    const stopped = sessions.stop(never).then(() => (isStopped = true));
    await late.send("too late", sessions.local);
    await old.send("two", sessions.local);
    const { request, inbox } = handed[0] ?? assert.fail();
    assert.deepEqual(await inbox.nextText(), ["one", destination]);
    assert.deepEqual(await inbox.nextText(), ["two", destination]);
    await sendPacket(request.client, "answer", remote);
    assert.equal((await old.receive()).payload.toString(), "answer");
    assert.deepEqual([handed.length, isStopped], [1, false]);
    request.client.close();
    await stopped;
  });

  for (const when of ["later", "before"] as const) {
    it(`ends all sessions when it is cut ${when}`, io, async (t) => {
      const { sessions, handed } = open(t);
      const peers = [await openUdpPeer(t), await openUdpPeer(t)];
      for (const peer of peers) await peer.send("hello", sessions.local);
      await until(() => handed.length === 2);
      const cut = new AbortController();
      if (when === "before") cut.abort();
      const stopped = sessions.stop(cut.signal);
      cut.abort();
      await stopped;
      await Promise.all(handed.map(async ({ request }) => request.client.closed));
      open(t, { listen: sessions.local });
    });
  }
});

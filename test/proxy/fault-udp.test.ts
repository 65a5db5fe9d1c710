import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import { DirectInbound } from "../../src/proxy/direct/direct-inbound.js";
import { Resolver } from "../../src/net/resolver.js";
import { DirectOutbound } from "../../src/proxy/direct/direct-outbound.js";
import type { User } from "../../src/proxy/users.js";
import { countPackets } from "../helpers/counted-packets.js";
import { eventually } from "../helpers/eventually.js";
import { collectGarbage } from "../helpers/gc.js";
import { MemoryOutbound } from "../helpers/memory-outbound.js";
import { startPacketProxy, type PacketProxy } from "../helpers/packet-proxy.js";
import { createRandom } from "../helpers/random.js";
import { closeAfter, openSockets } from "../helpers/sockets.js";
import { associateSocks5, socks5Packet, type Socks5UdpClient } from "../helpers/socks5-udp-client.js";
import { closed, turns, until } from "../helpers/timing.js";
import { startUdpEcho } from "../helpers/udp-echo.js";
import { openUdpPeer } from "../helpers/udp-peer.js";
import { failOnUnhandled } from "../helpers/unhandled.js";

const io = { timeout: 30_000 };
const random = createRandom(12);
const alice: User = { username: "alice", password: "a" };
const subjects = ["inbound in", "outbound out", "user alice"];
const dns: Endpoint = { host: "192.0.2.1", port: 53 };
const floodCount = 5_000;

async function startProxy(t: TestContext, final = new MemoryOutbound()): Promise<PacketProxy> {
  return startPacketProxy(t, { users: [alice], routes: { final } });
}

async function startDirect(t: TestContext): Promise<PacketProxy> {
  return startPacketProxy(t, { users: [alice] });
}

async function assertEchoed(client: Socks5UdpClient, text: string, to: Endpoint): Promise<void> {
  await client.send(text, to);
  assert.deepEqual(await client.receive(), { payload: Buffer.from(text), endpoint: to });
}

/** Sends many packets, each in its turn, so that the operating system has room for all of them. */
async function flood(count: number, send: (index: number) => Promise<void>): Promise<void> {
  for (let index = 0; index < count; index++) {
    await send(index);
    if (index % 20 === 0) await turns(1);
  }
}

/** What people read of a log. */
function loudLines({ logger }: Pick<PacketProxy, "logger">): readonly string[] {
  return logger.lines
    .filter(({ level }) => level !== "debug")
    .map(({ level, message }) => `${level} ${message}`);
}

describe("A destination of packets", () => {
  failOnUnhandled();

  it("that is a closed port costs nothing but the packets", io, async (t) => {
    const proxy = await startDirect(t);
    const echo = await startUdpEcho(t);
    const gone = await openUdpPeer(t);
    const deaf = gone.local;
    await gone[Symbol.asyncDispose]();
    const client = await associateSocks5(t, proxy.endpoint, { user: alice });
    for (let packet = 0; packet < 5; packet++) {
      await client.send("lost", deaf);
      await assertEchoed(client, "found", echo.endpoint);
    }
    await proxy.assertMoved(subjects, { up: 45, down: 25 });
    assert.deepEqual(loudLines(proxy), []);
  });

  it("that goes away and comes back is heard again", io, async (t) => {
    const proxy = await startDirect(t);
    const gone = await openUdpPeer(t);
    const there = gone.local;
    const client = await associateSocks5(t, proxy.endpoint, { user: alice });
    await client.send("one", there);
    const { endpoint: from } = await gone.receive();
    await gone[Symbol.asyncDispose]();
    await client.send("two", there);
    await proxy.assertMoved(subjects, { up: 6, down: 0 });
    const back = await openUdpPeer(t, there);
    await client.send("three", there);
    assert.equal((await back.receive()).payload.toString(), "three");
    await back.send("answer", from);
    assert.deepEqual(await client.receive(), { payload: Buffer.from("answer"), endpoint: there });
  });
});

describe("A client of packets", () => {
  failOnUnhandled();

  const departures: readonly (readonly [how: string, leave: (client: Socks5UdpClient) => unknown])[] = [
    ["ends its control connection", ({ control }) => control.end()],
    ["resets its control connection", ({ control }) => control.resetAndDestroy()],
    ["destroys its control connection", ({ control }) => control.destroy()],
  ];
  for (const [how, leave] of departures) {
    it(`that ${how} in the middle of a burst leaves no socket, and equal counters`, io, async (t) => {
      const proxy = await startDirect(t);
      const echo = await startUdpEcho(t, { answerBytes: 1_000 });
      const before = openSockets().length;
      const client = await associateSocks5(t, proxy.endpoint, { user: alice });
      await assertMovedOn(client, echo.endpoint);
      const burst = flood(500, async (index) => {
        await client.send(random.bytes(100), echo.endpoint);
        if (index === 250) leave(client);
      });
      await burst;
      await closed(client.control);
      await until(() => proxy.logger.messages("info").includes("connection closed"));
      await client.close();
      await eventually(() => {
        assert.equal(openSockets().length, before);
      });
      const { "inbound in": inbound, "outbound out": outbound, "user alice": user } = proxy.moved();
      assert.ok(inbound !== undefined && inbound.up > 0 && inbound.down > 0);
      assert.deepEqual([outbound, user], [inbound, inbound]);
      assert.ok(inbound.up < 501 * 100, "what came after the end is not counted");
      await eventually(() => {
        assert.equal(echo.moved.up, inbound.up);
      });
      assert.ok(inbound.down <= echo.moved.down);
      assert.deepEqual(loudLines(proxy), ["info connection closed"]);
    });
  }

  /** There and back once, so that the association stands before it is torn down. */
  async function assertMovedOn(client: Socks5UdpClient, to: Endpoint): Promise<void> {
    await client.send(random.bytes(100), to);
    assert.equal((await client.receive()).payload.length, 1_000);
  }

  it("whose UDP socket is gone is sent its answers in vain, and its association lives", io, async (t) => {
    const proxy = await startDirect(t);
    const echo = await startUdpEcho(t, { holds: true });
    const gone = await openUdpPeer(t);
    const { local } = gone;
    const client = await associateSocks5(t, proxy.endpoint, { user: alice, expected: local });
    for (let packet = 0; packet < 3; packet++) {
      await gone.send(socks5Packet("hello", echo.endpoint), client.relay);
    }
    await echo.receivedCount(3);
    await gone[Symbol.asyncDispose]();
    echo.release();
    await proxy.assertMoved(subjects, { up: 15, down: 15 });
    await turns(5);
    assert.equal(client.control.readableEnded, false);
    const back = await openUdpPeer(t, local);
    await back.send(socks5Packet("back", echo.endpoint), client.relay);
    await echo.receivedCount(4);
    assert.deepEqual(loudLines(proxy), []);
  });

  it("is one of many that come and go at once; none leaves a socket", io, async (t) => {
    const proxy = await startDirect(t);
    const echo = await startUdpEcho(t);
    const before = openSockets().length;
    const count = 60;
    const clients = await Promise.all(
      Array.from({ length: count }, async () => associateSocks5(t, proxy.endpoint, { user: alice })),
    );
    await Promise.all(
      clients.map(async (client, index) => {
        await assertEchoed(client, "hello", echo.endpoint);
        if (index % 2 === 0) client.control.resetAndDestroy();
        await client.close();
      }),
    );
    await until(
      () => proxy.logger.messages("info").filter((line) => line === "connection closed").length === count,
    );
    await eventually(() => {
      assert.equal(openSockets().length, before);
    });
    await proxy.assertMoved(subjects, { up: 5 * count, down: 5 * count });
  });
});

describe("A flood of packets", () => {
  failOnUnhandled();

  it("at an outbound that is stalled fills a bounded queue, and no log", io, async (t) => {
    const final = new MemoryOutbound({ holds: true });
    const proxy = await startProxy(t, final);
    const client = await associateSocks5(t, proxy.endpoint, { user: alice });
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    const payload = random.bytes(10_000);
    await flood(floodCount, async () => client.send(payload, dns));
    await turns(5);
    collectGarbage();
    await turns(5);
    collectGarbage();
    const grownBytes = process.memoryUsage().arrayBuffers - before;
    assert.ok(
      grownBytes < 16 * 1024 * 1024,
      `${grownBytes} bytes of ${floodCount * payload.length} are held`,
    );
    assert.deepEqual(loudLines(proxy), ["info packet dropped"]);
    await proxy.assertMoved(subjects, { up: 0, down: 0 });
    final.open();
    await turns(2);
    // 1 MiB of them.
    assert.equal(final.remote.sent.length, 104);
    await proxy.assertMoved(subjects, { up: 104 * payload.length, down: 0 });
    await client.send("later", dns);
    await final.remote.sentCount(105);
  });

  it("for names that are not found is dropped, and looks few up", io, async (t) => {
    let lookupCount = 0;
    const lookup = async () => {
      lookupCount += 1;
      return Promise.reject(new Error("getaddrinfo ENOTFOUND"));
    };
    const proxy = await startPacketProxy(t, {
      users: [alice],
      routes: { final: new DirectOutbound({ tag: "out", resolver: new Resolver({ lookup }) }) },
    });
    const echo = await startUdpEcho(t);
    const client = await associateSocks5(t, proxy.endpoint, { user: alice });
    await flood(1_000, async (index) => client.send("lost", { host: `${index % 10}.test`, port: 53 }));
    await assertEchoed(client, "found", echo.endpoint);
    assert.equal(lookupCount, 10);
    assert.deepEqual(loudLines(proxy), ["info packet dropped"]);
  });

  it(
    "that are none is dropped, counted nowhere and no news for people; the association lives",
    io,
    async (t) => {
      const final = new MemoryOutbound();
      const proxy = await startProxy(t, final);
      const client = await associateSocks5(t, proxy.endpoint, { user: alice });
      const good = socks5Packet("good", dns);
      const isGood = (datagram: Buffer) => datagram[0] === 0 && datagram[1] === 0 && datagram[2] === 0;
      await flood(floodCount, async (index) => {
        const kinds = [
          () => random.bytes(random.below(300)),
          () => good.subarray(0, random.below(10)),
          () => socks5Packet("fragment", dns, 1 + random.below(255)),
          () => Buffer.concat([Buffer.of(0, 0, 0, 3, 255), random.bytes(random.below(250))]),
          () => Buffer.concat([Buffer.of(0, 0, 0, 5 + random.below(250)), random.bytes(20)]),
        ];
        const datagram = kinds[index % kinds.length]?.() ?? good;
        // By chance it could be one.
        await client.sendRaw(index % kinds.length === 0 && isGood(datagram) ? Buffer.alloc(0) : datagram);
      });
      await client.sendRaw(good);
      await final.dialledCount(1);
      await final.remote.sentCount(1);
      assert.equal(final.remote.sent[0]?.payload.toString(), "good");
      await proxy.assertMoved(subjects, { up: 4, down: 0 });
      assert.deepEqual(loudLines(proxy), []);
    },
  );

  it("of somebody else's is dropped, and counted nowhere", io, async (t) => {
    const proxy = await startDirect(t);
    const echo = await startUdpEcho(t);
    const client = await associateSocks5(t, proxy.endpoint, { user: alice });
    await assertEchoed(client, "mine", echo.endpoint);
    const stranger = await openUdpPeer(t, { host: "127.0.0.2" });
    const packet = socks5Packet("not mine", echo.endpoint);
    await flood(1_000, async () => stranger.send(packet, client.relay));
    await assertEchoed(client, "mine", echo.endpoint);
    await proxy.assertMoved(subjects, { up: 8, down: 8 });
    assert.equal(echo.received.length, 2);
  });

  it("from ever new clients of a direct inbound takes a bounded number of sockets", io, async (t) => {
    const echo = await startUdpEcho(t);
    const packets = countPackets({ final: new DirectOutbound({ tag: "out" }) });
    const inbound = new DirectInbound({
      ...{ tag: "in", listen: { host: "127.0.0.1", port: 0 }, destination: echo.endpoint, maxSessions: 5 },
      onPackets: packets.onPackets,
      logger: packets.logger,
    });
    closeAfter(t, inbound);
    const endpoint = await inbound.start();
    const before = openSockets().length;
    const clientCount = 50;
    for (let count = 1; count <= clientCount; count++) {
      // It stays open: whoever is given its port would be the same client to the inbound.
      const client = await openUdpPeer(t);
      await client.send("hello", endpoint);
      assert.equal((await client.receive()).payload.toString(), "hello");
      await eventually(() => {
        assert.ok(openSockets().length <= before + count + 5);
      });
    }
    assert.equal(packets.told.length, clientCount);
    await packets.assertMoved(["inbound in", "outbound out"], { up: 5 * clientCount, down: 5 * clientCount });
  });
});

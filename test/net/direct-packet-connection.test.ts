import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { DirectPacketConnection } from "../../src/net/direct-packet-connection.js";
import type { Endpoint } from "../../src/net/endpoint.js";
import { OwnListeners } from "../../src/net/own-listeners.js";
import { Resolver } from "../../src/net/resolver.js";
import { sha256 } from "../helpers/bytes.js";
import { FakeResolver } from "../helpers/fake-resolver.js";
import { PacketInbox, sendPacket } from "../helpers/packet-inbox.js";
import { createRandom } from "../helpers/random.js";
import { closeAfter, openSockets } from "../helpers/sockets.js";
import { turns } from "../helpers/timing.js";
import { startUdpEcho } from "../helpers/udp-echo.js";
import { failUdpBinds } from "../helpers/udp-faults.js";
import { openUdpPeer } from "../helpers/udp-peer.js";

const io = { timeout: 10_000 };
const random = createRandom(8);

interface Opened {
  readonly connection: DirectPacketConnection;
  readonly inbox: PacketInbox;
  readonly resolver: FakeResolver;
}

/** A connection that asks nobody but the test for the addresses of names. */
function open(t: TestContext): Opened {
  closeAfter(t);
  const resolver = new FakeResolver();
  const connection = new DirectPacketConnection({ resolver: new Resolver(resolver) });
  closeAfter(t, connection);
  return { connection, inbox: new PacketInbox(connection), resolver };
}

describe("DirectPacketConnection where we listen ourselves", () => {
  it("sends nothing, to no address of this machine and to no name that leads there", io, async (t) => {
    const [own, other] = [await startUdpEcho(t), await startUdpEcho(t)];
    const ownListeners = new OwnListeners();
    const forget = ownListeners.add("udp", own.endpoint.port);
    const resolver = new FakeResolver();
    const connection = new DirectPacketConnection({ resolver: new Resolver(resolver), ownListeners });
    closeAfter(t, connection);
    const { port } = own.endpoint;
    for (const host of ["127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0", "::1", "::"]) {
      const message = messageOf(await sendPacket(connection, "attack", { host, port }));
      assert.match(message ?? "", /^the proxy itself listens on /, host);
    }
    const byName = sendPacket(connection, "attack", { host: "rebound.test", port });
    resolver.answer("127.0.0.1");
    const reason = `the proxy itself listens on 127.0.0.1:${port}`;
    assert.equal(messageOf(await byName), reason);
    // Its address is known by now.
    assert.equal(messageOf(await sendPacket(connection, "attack", { host: "rebound.test", port })), reason);
    const inbox = new PacketInbox(connection);
    assert.equal(await sendPacket(connection, "hello", other.endpoint), undefined);
    assert.deepEqual(await inbox.nextText(), ["hello", other.endpoint]);
    assert.deepEqual(own.received, []);
    forget();
    assert.equal(await sendPacket(connection, "now", own.endpoint), undefined);
    assert.deepEqual(await inbox.nextText(), ["now", own.endpoint]);
  });
});

function messageOf(error: Error | undefined): string | undefined {
  return error?.message;
}

describe("DirectPacketConnection", () => {
  for (const host of ["127.0.0.1", "::1"]) {
    it(`carries packets to ${host}, and back with where they come from`, io, async (t) => {
      const echo = await startUdpEcho(t, { host });
      const { connection, inbox } = open(t);
      assert.equal(await sendPacket(connection, "one", echo.endpoint), undefined);
      assert.deepEqual(await inbox.nextText(), ["one", echo.endpoint]);
      assert.deepEqual(echo.moved, { up: 3, down: 3 });
    });

    it(`sends all packets to ${host} from one port`, io, async (t) => {
      const echoes = [await startUdpEcho(t, { host }), await startUdpEcho(t, { host })];
      const { connection, inbox } = open(t);
      for (const echo of [...echoes, ...echoes]) {
        await sendPacket(connection, "x", echo.endpoint);
        await inbox.next();
      }
      const ports = echoes.flatMap(({ received }) => received.map(({ endpoint }) => endpoint.port));
      assert.deepEqual(ports, [ports[0], ports[0], ports[0], ports[0]]);
    });
  }

  const spellings: readonly (readonly [spelling: string, address: string])[] = [
    ["0:0:0:0:0:0:0:1", "::1"],
    ["::0001", "::1"],
    ["::ffff:127.0.0.1", "127.0.0.1"],
    ["::ffff:7f00:1", "127.0.0.1"],
  ];
  for (const [host, address] of spellings) {
    it(`hears the answer to what was sent to ${host}`, io, async (t) => {
      const echo = await startUdpEcho(t, { host: address });
      const { connection, inbox } = open(t);
      await sendPacket(connection, "hello", { host, port: echo.endpoint.port });
      assert.deepEqual(await inbox.nextText(), ["hello", echo.endpoint]);
    });
  }

  const sizes: readonly (readonly [host: string, bytes: number])[] = [
    ["127.0.0.1", 0],
    ["127.0.0.1", 1],
    ["127.0.0.1", 1_472],
    ["127.0.0.1", 1_473],
    ["127.0.0.1", 65_507],
    ["::1", 0],
    ["::1", 65_507],
  ];
  for (const [host, bytes] of sizes) {
    it(`carries ${bytes} bytes whole to ${host} and back`, io, async (t) => {
      const echo = await startUdpEcho(t, { host });
      const { connection, inbox } = open(t);
      const payload = random.bytes(bytes);
      assert.equal(await sendPacket(connection, payload, echo.endpoint), undefined);
      const answer = await inbox.next();
      assert.deepEqual([answer.payload.length, sha256(answer.payload)], [bytes, sha256(payload)]);
      assert.deepEqual(echo.moved, { up: bytes, down: bytes });
    });
  }

  it("drops what no packet has room for, and carries the next one", io, async (t) => {
    const echo = await startUdpEcho(t);
    const { connection, inbox } = open(t);
    const dropped = await sendPacket(connection, Buffer.alloc(65_508), echo.endpoint);
    assert.match(messageOf(dropped) ?? "", /EMSGSIZE/);
    await sendPacket(connection, "next", echo.endpoint);
    assert.deepEqual(await inbox.nextText(), ["next", echo.endpoint]);
    assert.equal(echo.received.length, 1);
  });

  it("tells whoever wants to know, and does without", io, async (t) => {
    const echo = await startUdpEcho(t);
    const { connection, inbox, resolver } = open(t);
    connection.send(Buffer.from("one"), echo.endpoint);
    connection.send(Buffer.from("two"), { host: "name.test", port: 1 });
    connection.send(Buffer.from("three"), { host: "127.0.0.1", port: 70_000 });
    resolver.fail("no such name");
    assert.deepEqual(await inbox.nextText(), ["one", echo.endpoint]);
  });

  const wrongPorts = [0, -1, 65_536, 1.5, NaN];
  for (const port of wrongPorts) {
    it(`drops what is for port ${port}`, io, async (t) => {
      const { connection } = open(t);
      assert.ok((await sendPacket(connection, "x", { host: "127.0.0.1", port })) instanceof Error);
    });
  }

  it("opens a socket for each family, when the first packet needs it", io, async (t) => {
    const echoes = [await startUdpEcho(t, { host: "127.0.0.1" }), await startUdpEcho(t, { host: "::1" })];
    const { connection, inbox } = open(t);
    const before = openSockets().length;
    const counts: number[] = [];
    for (const echo of [...echoes, ...echoes]) {
      await sendPacket(connection, "x", echo.endpoint);
      await inbox.next();
      counts.push(openSockets().length - before);
    }
    assert.deepEqual(counts, [1, 2, 2, 2]);
  });

  it("drops packets while there is no socket to be had, and goes on when there is one", io, async (t) => {
    const echo = await startUdpEcho(t);
    const { connection, inbox } = open(t);
    const binds = failUdpBinds(t, "EMFILE");
    const dropped = await sendPacket(connection, "one", echo.endpoint);
    assert.equal(messageOf(dropped), "listen 0.0.0.0:0: bind EMFILE");
    binds.restore();
    await sendPacket(connection, "two", echo.endpoint);
    assert.deepEqual(await inbox.nextText(), ["two", echo.endpoint]);
  });

  it("goes on after a packet to a port where nobody listens", io, async (t) => {
    const echo = await startUdpEcho(t);
    const gone = await openUdpPeer(t);
    const deaf = gone.local;
    await gone[Symbol.asyncDispose]();
    const { connection, inbox } = open(t);
    for (let packet = 0; packet < 3; packet++) await sendPacket(connection, "lost", deaf);
    await sendPacket(connection, "found", echo.endpoint);
    assert.deepEqual(await inbox.nextText(), ["found", echo.endpoint]);
  });
});

describe("DirectPacketConnection hears", () => {
  it("all remotes that were written to", io, async (t) => {
    const [one, two, three] = [
      await startUdpEcho(t),
      await startUdpEcho(t),
      await startUdpEcho(t, { host: "::1" }),
    ];
    const { connection, inbox } = open(t);
    for (const [index, { endpoint }] of [one, two, three, one].entries()) {
      await sendPacket(connection, `packet ${index}`, endpoint);
      assert.deepEqual(await inbox.nextText(), [`packet ${index}`, endpoint]);
    }
  });

  it("more answers than were asked for", io, async (t) => {
    const peer = await openUdpPeer(t);
    const { connection, inbox } = open(t);
    await sendPacket(connection, "subscribe", peer.local);
    const { endpoint: ours } = await peer.receive();
    for (const text of ["one", "two", "three"]) await peer.send(text, { ...ours, host: "127.0.0.1" });
    for (const text of ["one", "two", "three"]) assert.deepEqual(await inbox.nextText(), [text, peer.local]);
  });

  const strangers: readonly (readonly [who: string, host: string])[] = [
    ["another port of an address that was written to", "127.0.0.1"],
    ["another address", "127.0.0.2"],
  ];
  for (const [who, host] of strangers) {
    it(`no stranger: not ${who}`, io, async (t) => {
      const [friend, stranger] = [await openUdpPeer(t), await openUdpPeer(t, { host })];
      const { connection, inbox } = open(t);
      await sendPacket(connection, "hello", friend.local);
      const { endpoint: ours } = await friend.receive();
      await stranger.send("let me in", ours);
      // Packets arrive in the order in which they were sent.
      await friend.send("welcome", ours);
      assert.deepEqual(await inbox.nextText(), ["welcome", friend.local]);
      await sendPacket(connection, "who are you?", stranger.local);
      await stranger.send("a friend", ours);
      assert.deepEqual(await inbox.nextText(), ["a friend", stranger.local]);
    });
  }

  it("no stranger: not the same port of another address", io, async (t) => {
    const friend = await openUdpPeer(t);
    const stranger = await openUdpPeer(t, { host: "127.0.0.2", port: friend.local.port });
    const { connection, inbox } = open(t);
    await sendPacket(connection, "hello", friend.local);
    const { endpoint: ours } = await friend.receive();
    await stranger.send("let me in", ours);
    await friend.send("welcome", ours);
    assert.deepEqual(await inbox.nextText(), ["welcome", friend.local]);
  });

  it("nobody before somebody receives", io, async (t) => {
    closeAfter(t);
    const echo = await startUdpEcho(t);
    const connection = new DirectPacketConnection();
    closeAfter(t, connection);
    await sendPacket(connection, "lost", echo.endpoint);
    await echo.receivedCount(1);
    await turns(3);
    const inbox = new PacketInbox(connection);
    await sendPacket(connection, "found", echo.endpoint);
    assert.deepEqual(await inbox.nextText(), ["found", echo.endpoint]);
  });
});

describe("DirectPacketConnection to a name", () => {
  const name = (port: number, host = "name.test"): Endpoint => ({ host, port });

  it("looks it up once, and hears answers from its address", io, async (t) => {
    const echo = await startUdpEcho(t);
    const { connection, inbox, resolver } = open(t);
    const to = name(echo.endpoint.port);
    const first = sendPacket(connection, "one", to);
    resolver.answer("127.0.0.1", "192.0.2.1");
    assert.equal(await first, undefined);
    assert.deepEqual(await inbox.nextText(), ["one", echo.endpoint]);
    assert.equal(await sendPacket(connection, "two", to), undefined);
    assert.deepEqual(await inbox.nextText(), ["two", echo.endpoint]);
    assert.deepEqual(resolver.asked, ["name.test"]);
  });

  it("looks it up again after a minute, and goes to where it is then", io, async (t) => {
    let nowMs = 0;
    t.mock.method(performance, "now", () => nowMs);
    const before = await startUdpEcho(t);
    const { connection, inbox, resolver } = open(t);
    const to = name(before.endpoint.port);
    const first = sendPacket(connection, "one", to);
    resolver.answer("127.0.0.1");
    await first;
    assert.deepEqual(await inbox.nextText(), ["one", before.endpoint]);
    nowMs += 60_000;
    const after = await openUdpPeer(t, { host: "127.0.0.2", port: to.port });
    const second = sendPacket(connection, "two", to);
    resolver.answer("127.0.0.2");
    await second;
    assert.equal((await after.receive()).payload.toString(), "two");
    assert.deepEqual(resolver.asked, ["name.test", "name.test"]);
  });

  it("sends what waited for it in order, before what comes later", io, async (t) => {
    const peer = await openUdpPeer(t);
    const { connection, resolver } = open(t);
    const to = name(peer.local.port);
    const sent = ["one", "two", "three"].map(async (text) => sendPacket(connection, text, to));
    assert.deepEqual(resolver.asked, ["name.test"]);
    resolver.answer("127.0.0.1");
    await sent[0];
    sent.push(sendPacket(connection, "four", to));
    await Promise.all(sent);
    for (const text of ["one", "two", "three", "four"]) {
      assert.equal((await peer.receive()).payload.toString(), text);
    }
  });

  it("does not hold up packets for other destinations", io, async (t) => {
    const echo = await startUdpEcho(t);
    const { connection, inbox, resolver } = open(t);
    const waiting = sendPacket(connection, "slow", name(echo.endpoint.port));
    await sendPacket(connection, "fast", echo.endpoint);
    assert.deepEqual(await inbox.nextText(), ["fast", echo.endpoint]);
    resolver.answer("127.0.0.1");
    await waiting;
    assert.deepEqual(await inbox.nextText(), ["slow", echo.endpoint]);
  });

  it("drops packets for one that has no address, and asks once for all of them", io, async (t) => {
    const { connection, resolver } = open(t);
    const dropped = [sendPacket(connection, "one", name(1)), sendPacket(connection, "two", name(2))];
    resolver.fail("getaddrinfo ENOTFOUND name.test");
    dropped.push(sendPacket(connection, "three", name(3)));
    const messages = (await Promise.all(dropped)).map(messageOf);
    assert.deepEqual(messages, new Array(3).fill("getaddrinfo ENOTFOUND name.test"));
    assert.deepEqual(resolver.asked, ["name.test"]);
  });

  it("shares what is known of names, and what is asked, with others", io, async (t) => {
    const peer = await openUdpPeer(t);
    const resolver = new FakeResolver();
    const shared = new Resolver(resolver);
    const connections = Array.from({ length: 300 }, () => new DirectPacketConnection({ resolver: shared }));
    closeAfter(t, ...connections);
    const to = name(peer.local.port);
    const sent = connections.map(async (connection) => sendPacket(connection, "x", to));
    assert.deepEqual(resolver.asked, ["name.test"]);
    resolver.answer("127.0.0.1");
    assert.deepEqual(await Promise.all(sent), new Array(300).fill(undefined));
    assert.deepEqual(await shared.resolve("name.test"), ["127.0.0.1"]);
    assert.deepEqual(resolver.asked, ["name.test"]);
  });

  it(
    "lets packets to IP addresses in any spelling pass it by, in turn with those to names",
    io,
    async (t) => {
      const echoes = [await startUdpEcho(t), await startUdpEcho(t, { host: "::1" })];
      const { connection, inbox, resolver } = open(t);
      for (const host of ["127.0.0.1", "0:0:0:0:0:0:0:1", "name.test", "::ffff:127.0.0.1", "::1"]) {
        const echo = host.endsWith(":1") ? echoes[1] : echoes[0];
        assert.ok(echo !== undefined);
        const sent = sendPacket(connection, host, { host, port: echo.endpoint.port });
        if (resolver.waitingCount > 0) resolver.answer("127.0.0.1");
        await sent;
        assert.deepEqual(await inbox.nextText(), [host, echo.endpoint]);
      }
      assert.deepEqual(resolver.asked, ["name.test"]);
    },
  );

  const bounds: readonly (readonly [what: string, count: number, bytes: number])[] = [
    ["256 packets", 256, 1],
    ["1 MiB", 16, 65_536],
  ];
  for (const [what, count, bytes] of bounds) {
    it(`lets ${what} wait, and drops what comes then until there is room`, io, async (t) => {
      const { connection, resolver } = open(t);
      const payload = Buffer.alloc(bytes);
      const waiting = Array.from({ length: count }, async () => sendPacket(connection, payload, name(0)));
      for (const host of ["name.test", "other.test"]) {
        const further = await sendPacket(connection, "x", name(0, host));
        assert.equal(messageOf(further), "too many packets wait for names to be resolved");
      }
      assert.deepEqual(resolver.asked, ["name.test"]);
      resolver.fail("no such name");
      assert.deepEqual((await Promise.all(waiting)).map(messageOf), new Array(count).fill("no such name"));
      const again = sendPacket(connection, payload, name(0, "other.test"));
      resolver.fail("neither");
      assert.equal(messageOf(await again), "neither");
    });
  }
});

describe("DirectPacketConnection's end", () => {
  it("comes with its close, which may come twice", io, async (t) => {
    const echo = await startUdpEcho(t);
    const { connection, inbox } = open(t);
    await sendPacket(connection, "hello", echo.endpoint);
    await inbox.next();
    connection.close();
    connection.close();
    await connection.closed;
  });

  it("comes without a packet, too", io, async (t) => {
    const { connection } = open(t);
    connection.close();
    await connection.closed;
  });

  it("is the end of its sockets", io, async (t) => {
    const echoes = [await startUdpEcho(t), await startUdpEcho(t, { host: "::1" })];
    const { connection, inbox } = open(t);
    const before = openSockets().length;
    for (const echo of echoes) {
      await sendPacket(connection, "hello", echo.endpoint);
      await inbox.next();
    }
    connection.close();
    await turns(3);
    assert.equal(openSockets().length, before);
  });

  it("drops what is sent later, and what waits for a name, and opens nothing", io, async (t) => {
    const echo = await startUdpEcho(t);
    const { connection, resolver } = open(t);
    const before = openSockets().length;
    const waiting = sendPacket(connection, "early", { host: "name.test", port: echo.endpoint.port });
    connection.close();
    resolver.answer("127.0.0.1");
    assert.equal(messageOf(await waiting), "connection is closed");
    assert.equal(messageOf(await sendPacket(connection, "late", echo.endpoint)), "connection is closed");
    assert.equal(openSockets().length, before);
    assert.deepEqual(echo.received, []);
  });
});

import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import type { Endpoint } from "../../../src/net/endpoint.js";
import { DatagramSocket } from "../../../src/net/datagram-socket.js";
import { IdleTimer } from "../../../src/net/idle-timer.js";
import { SocksAssociation } from "../../../src/proxy/socks/socks-association.js";
import { readAll, sha256 } from "../../helpers/bytes.js";
import { PacketInbox, sendPacket } from "../../helpers/packet-inbox.js";
import { createRandom } from "../../helpers/random.js";
import { RecordingLogger } from "../../helpers/recording-logger.js";
import { closeAfter, openSockets, addressOf } from "../../helpers/sockets.js";
import { readSocks5Packet, socks5Packet } from "../../helpers/socks5-udp-client.js";
import { closed, turns } from "../../helpers/timing.js";
import { openUdpPeer, type UdpPeer } from "../../helpers/udp-peer.js";

const io = { timeout: 10_000 };
const random = createRandom(9);
const dns: Endpoint = { host: "192.0.2.1", port: 53 };
const web: Endpoint = { host: "example.com", port: 443 };
const unspecified: Endpoint = { host: "0.0.0.0", port: 0 };

/** The two ends of a TCP connection to a listener at any address. */
async function connectAt(t: TestContext, listenAt: string, host: string): Promise<readonly [Socket, Socket]> {
  const listener = createServer({ allowHalfOpen: true });
  closeAfter(t, listener);
  listener.listen(0, listenAt);
  await once(listener, "listening");
  const accepted = new Promise<Socket>((resolve) => listener.once("connection", resolve));
  const client = connect({ host, port: addressOf(listener).port, allowHalfOpen: true });
  client.on("error", () => undefined);
  const server = await accepted;
  server.on("error", () => undefined);
  listener.close();
  closeAfter(t, client, server);
  return [client, server];
}

interface AssociateOptions {
  /** What the client says it will send from. Default: nothing; `own` is where it does. */
  readonly expected?: Endpoint | "own";
  readonly idleTimeoutMs?: number;
  /** Where the proxy listens, and where the client connects to. */
  readonly listenAt?: string;
  readonly host?: string;
}

interface Associated {
  readonly association: SocksAssociation;
  readonly inbox: PacketInbox;
  readonly logger: RecordingLogger;
  /** The client's UDP socket. */
  readonly peer: UdpPeer;
  /** The client's end of the control connection. */
  readonly client: Socket;
  /** The proxy's end of it. */
  readonly control: Socket;
}

async function associate(
  t: TestContext,
  {
    expected = unspecified,
    idleTimeoutMs = 60_000,
    listenAt = "127.0.0.1",
    host = listenAt,
  }: AssociateOptions = {},
): Promise<Associated> {
  const [client, control] = await connectAt(t, listenAt, host);
  const peer = await openUdpPeer(t, { host });
  const logger = new RecordingLogger();
  const association = new SocksAssociation({
    ...{ control, idleTimeoutMs, logger },
    expected: expected === "own" ? peer.local : expected,
  });
  closeAfter(t, association);
  return { association, inbox: new PacketInbox(association), logger, peer, client, control };
}

describe("SocksAssociation", () => {
  const places: readonly (readonly [listenAt: string, host: string])[] = [
    ["127.0.0.1", "127.0.0.1"],
    ["::1", "::1"],
    ["0.0.0.0", "127.0.0.1"],
    ["::", "127.0.0.1"],
    ["::", "::1"],
  ];
  for (const [listenAt, host] of places) {
    it(`listens where its client connected to: ${host} of ${listenAt}`, io, async (t) => {
      const { association, inbox, peer } = await associate(t, { listenAt, host });
      assert.equal(association.relay.host, host);
      assert.notEqual(association.relay.port, 0);
      await peer.send(socks5Packet("hello", dns), association.relay);
      assert.deepEqual(await inbox.nextText(), ["hello", dns]);
      assert.equal(await sendPacket(association, "answer", dns), undefined);
      const answer = await peer.receive();
      assert.deepEqual(answer.endpoint, association.relay);
      assert.deepEqual(readSocks5Packet(answer.payload), { payload: Buffer.from("answer"), endpoint: dns });
    });
  }

  it("takes packets for addresses of both families, and for names", io, async (t) => {
    const { association, inbox, peer } = await associate(t);
    for (const to of [dns, web, { host: "2001:db8::1", port: 123 }, { host: "bücher.example", port: 1 }]) {
      await peer.send(socks5Packet("hello", to), association.relay);
      assert.deepEqual(await inbox.nextText(), ["hello", to]);
    }
  });

  it("tells where answers come from, however these change", io, async (t) => {
    const { association, inbox, peer } = await associate(t);
    await peer.send(socks5Packet("hello", dns), association.relay);
    await inbox.next();
    const six: Endpoint = { host: "2001:db8::1", port: 53 };
    for (const from of [dns, dns, { ...dns, port: 54 }, dns, { ...dns, host: "192.0.2.2" }, six, six, dns]) {
      await sendPacket(association, "x", from);
      assert.deepEqual(readSocks5Packet((await peer.receive()).payload).endpoint, from);
    }
  });

  for (const bytes of [0, 1, 1_472, 65_497]) {
    it(`carries ${bytes} bytes whole, both ways`, io, async (t) => {
      const { association, inbox, peer } = await associate(t);
      const payload = random.bytes(bytes);
      await peer.send(socks5Packet(payload, dns), association.relay);
      const taken = await inbox.next();
      assert.deepEqual([taken.payload.length, sha256(taken.payload)], [bytes, sha256(payload)]);
      assert.equal(await sendPacket(association, payload, dns), undefined);
      const answer = readSocks5Packet((await peer.receive()).payload);
      assert.deepEqual([answer.payload.length, sha256(answer.payload)], [bytes, sha256(payload)]);
    });
  }

  const tooLarge: readonly (readonly [from: Endpoint, bytes: number])[] = [
    [dns, 65_498],
    [{ host: "2001:db8::1", port: 53 }, 65_486],
  ];
  for (const [from, bytes] of tooLarge) {
    it(
      `drops ${bytes} bytes from ${from.host}, for whose header there is no room, and lives`,
      io,
      async (t) => {
        const { association, inbox, peer } = await associate(t);
        await peer.send(socks5Packet("hello", dns), association.relay);
        await inbox.next();
        assert.match((await sendPacket(association, Buffer.alloc(bytes), from))?.message ?? "", /EMSGSIZE/);
        assert.equal(await sendPacket(association, Buffer.alloc(bytes - 1), from), undefined);
        assert.equal(readSocks5Packet((await peer.receive()).payload).payload.length, bytes - 1);
      },
    );
  }

  it("drops an answer from a name that no header has room for", io, async (t) => {
    const { association, inbox, peer } = await associate(t);
    await peer.send(socks5Packet("hello", dns), association.relay);
    await inbox.next();
    const dropped = await sendPacket(association, "x", { host: "n".repeat(256), port: 1 });
    assert.match(dropped?.message ?? "", /256 bytes, at most 255 fit/);
  });

  it("drops an answer before it knows its client, and needs nobody to tell", io, async (t) => {
    const { association, inbox, peer } = await associate(t);
    assert.ok((await sendPacket(association, "x", dns)) instanceof Error);
    association.send(Buffer.from("x"), dns);
    await peer.send(socks5Packet("hello", dns), association.relay);
    await inbox.next();
    association.send(Buffer.from("y"), dns);
    assert.equal(readSocks5Packet((await peer.receive()).payload).payload.toString(), "y");
  });

  it("has no port where the operating system gives none", io, async (t) => {
    const [client, control] = await connectAt(t, "127.0.0.1", "127.0.0.1");
    // An address that this machine does not have.
    Object.defineProperty(control, "localAddress", { value: "192.0.2.1" });
    const create = () => new SocksAssociation({ control, expected: unspecified, idleTimeoutMs: 60_000 });
    assert.throws(create, { name: "ListenError" });
    client.end();
    control.resume().end();
    await closed(control);
  });
});

describe("SocksAssociation's client", () => {
  const foreign: Endpoint = { host: "192.0.2.7", port: 40_000 };
  const named: Endpoint = { host: "localhost", port: 40_000 };
  const announcements: readonly (readonly [what: string, expected: Endpoint])[] = [
    ["that announces nothing", unspecified],
    ["that announces its address without a port", { host: "127.0.0.1", port: 0 }],
    ["that announces another address, as behind a NAT,", foreign],
    ["that announces a name", named],
    ["that announces a port without an address", { host: "0.0.0.0", port: 40_000 }],
  ];
  for (const [what, expected] of announcements) {
    it(`${what} is who sends first; its other ports are not`, io, async (t) => {
      const { association, inbox, peer } = await associate(t, { expected });
      const other = await openUdpPeer(t);
      await peer.send(socks5Packet("first", dns), association.relay);
      await other.send(socks5Packet("other", dns), association.relay);
      await peer.send(socks5Packet("second", dns), association.relay);
      assert.deepEqual(await inbox.nextText(), ["first", dns]);
      assert.deepEqual(await inbox.nextText(), ["second", dns]);
      await sendPacket(association, "answer", dns);
      await peer.receive();
      assert.equal(other.waitingCount, 0);
    });
  }

  it("that announces where it sends from takes over from another port that sent first", io, async (t) => {
    const { association, inbox, logger, peer } = await associate(t, { expected: "own" });
    const other = await openUdpPeer(t);
    await other.send(socks5Packet("other", dns), association.relay);
    assert.deepEqual(await inbox.nextText(), ["other", dns]);
    await peer.send(socks5Packet("own", dns), association.relay);
    assert.deepEqual(await inbox.nextText(), ["own", dns]);
    await other.send(socks5Packet("other again", dns), association.relay);
    await peer.send(socks5Packet("own again", dns), association.relay);
    assert.deepEqual(await inbox.nextText(), ["own again", dns]);
    assert.deepEqual(logger.lines, [
      {
        level: "debug",
        message: "packet of somebody else dropped",
        fields: { source: "127.0.0.1", port: other.local.port },
      },
    ]);
    await sendPacket(association, "answer", dns);
    await peer.receive();
    assert.equal(other.waitingCount, 0);
  });

  it("that announces where it sends from is the only one as soon as it has sent", io, async (t) => {
    const connect = t.mock.method(DatagramSocket.prototype, "connect");
    const { association, inbox, peer } = await associate(t, { expected: "own" });
    for (const text of ["first", "second"]) {
      await peer.send(socks5Packet(text, dns), association.relay);
      assert.deepEqual(await inbox.nextText(), [text, dns]);
    }
    assert.deepEqual(
      connect.mock.calls.map(({ arguments: [to] }) => to),
      [peer.local],
    );
  });

  it("that announces where its packets are to go, as V2Ray does, is who sends first", io, async (t) => {
    const destination = await openUdpPeer(t);
    const { association, inbox, peer } = await associate(t, { expected: destination.local });
    await peer.send(socks5Packet("first", destination.local), association.relay);
    assert.deepEqual(await inbox.nextText(), ["first", destination.local]);
    await sendPacket(association, "answer", destination.local);
    await peer.receive();
    assert.equal(destination.waitingCount, 0);
  });

  it("that announces where it sends from is sent answers before it sends", io, async (t) => {
    const { association, peer } = await associate(t, { expected: "own" });
    assert.equal(await sendPacket(association, "early", dns), undefined);
    assert.equal(readSocks5Packet((await peer.receive()).payload).payload.toString(), "early");
  });

  for (const expected of [unspecified, "own"] as const) {
    it(`is never at another address: announced ${expected === "own" ? "its own" : "none"}`, io, async (t) => {
      const { association, inbox, logger, peer } = await associate(t, { expected });
      const { port } = peer.local;
      const strangers = [
        await openUdpPeer(t, { host: "127.0.0.2" }),
        await openUdpPeer(t, { host: "127.0.0.3", port }),
      ];
      for (const stranger of strangers) await stranger.send(socks5Packet("x", dns), association.relay);
      await peer.send(socks5Packet("own", dns), association.relay);
      for (const stranger of strangers) await stranger.send(socks5Packet("x", dns), association.relay);
      await peer.send(socks5Packet("own again", dns), association.relay);
      assert.deepEqual(await inbox.nextText(), ["own", dns]);
      assert.deepEqual(await inbox.nextText(), ["own again", dns]);
      const hosts = logger.lines.map(({ fields }) => fields?.["source"]);
      // Once the client is known, the kernel may drop them.
      assert.deepEqual(hosts.slice(0, 2), ["127.0.0.2", "127.0.0.3"]);
    });
  }

  it("is not who sends first, if that is no packet", io, async (t) => {
    const { association, inbox, peer } = await associate(t);
    const other = await openUdpPeer(t);
    await other.send("no packet", association.relay);
    await peer.send(socks5Packet("first", dns), association.relay);
    assert.deepEqual(await inbox.nextText(), ["first", dns]);
  });
});

describe("SocksAssociation's drop", () => {
  const good = socks5Packet("good", dns);
  const malformed: readonly (readonly [what: string, datagram: Buffer, reason: RegExp])[] = [
    ["nothing", Buffer.alloc(0), /no SOCKS packet/],
    ["one byte", Buffer.of(0), /no SOCKS packet/],
    ["a reserved byte that is not 0", Buffer.concat([Buffer.of(0, 1), good.subarray(2)]), /no SOCKS packet/],
    ["a fragment", socks5Packet("x", dns, 1), /fragment \(FRAG 1\)/],
    ["the last fragment", socks5Packet("x", dns, 0x81), /fragment \(FRAG 129\)/],
    ["an unknown address type", Buffer.of(0, 0, 0, 2, 1, 2, 3, 4, 0, 53), /address type 2 is unknown/],
    ["half an address", good.subarray(0, 9), /ends within its address/],
    ["a name without a byte", Buffer.of(0, 0, 0, 3, 0, 0, 53), /no host name/],
    ["a name that is none", socks5Packet("x", { host: "a b", port: 53 }), /no host name/],
    ["the port 0", socks5Packet("x", { ...dns, port: 0 }), /port is 0/],
  ];
  for (const [what, datagram, reason] of malformed) {
    it(`of ${what} leaves the association alone`, io, async (t) => {
      const { association, inbox, logger, peer } = await associate(t);
      await peer.send(datagram, association.relay);
      await peer.send(good, association.relay);
      await peer.send(datagram, association.relay);
      await peer.send(good, association.relay);
      assert.deepEqual(await inbox.nextText(), ["good", dns]);
      assert.deepEqual(await inbox.nextText(), ["good", dns]);
      assert.deepEqual(
        logger.lines.map(({ level, message, fields }) => [
          level,
          message,
          fields?.["source"],
          fields?.["port"],
        ]),
        new Array(2).fill(["debug", "packet dropped", "127.0.0.1", peer.local.port]),
      );
      assert.match(String(logger.lines[0]?.fields?.["reason"]), reason);
    });
  }

  it("of what comes before somebody receives leaves the association alone", io, async (t) => {
    const [, control] = await connectAt(t, "127.0.0.1", "127.0.0.1");
    const peer = await openUdpPeer(t);
    const association = new SocksAssociation({ control, expected: unspecified, idleTimeoutMs: 60_000 });
    closeAfter(t, association);
    await peer.send(socks5Packet("early", dns), association.relay);
    await turns(5);
    const inbox = new PacketInbox(association);
    await peer.send(good, association.relay);
    assert.deepEqual(await inbox.nextText(), ["good", dns]);
  });
});

describe("SocksAssociation's control connection", () => {
  it("may say whatever it likes", io, async (t) => {
    const { association, inbox, peer, client, control } = await associate(t);
    const noise = random.bytes(2 * 1024 * 1024);
    await new Promise((resolve) => client.write(noise, resolve));
    while (control.bytesRead < noise.length) await turns(1);
    await peer.send(socks5Packet("hello", dns), association.relay);
    assert.deepEqual(await inbox.nextText(), ["hello", dns]);
  });

  const endings: readonly (readonly [how: string, end: (associated: Associated) => unknown])[] = [
    ["the client ends it", ({ client }) => client.end()],
    ["the client ends it behind some bytes", ({ client }) => client.end(Buffer.alloc(100_000))],
    ["the client resets it", ({ client }) => client.resetAndDestroy()],
    ["the client destroys it", ({ client }) => client.destroy()],
    ["the proxy destroys it", ({ control }) => control.destroy()],
    ["the proxy resets it", ({ control }) => control.resetAndDestroy()],
  ];
  for (const [how, end] of endings) {
    it(`ends the association when ${how}`, io, async (t) => {
      closeAfter(t);
      const before = openSockets().length;
      const associated = await associate(t);
      const { association, inbox, peer, client, control } = associated;
      await peer.send(socks5Packet("hello", dns), association.relay);
      await inbox.next();
      client.resume().once("end", () => client.end());
      end(associated);
      await association.closed;
      await Promise.all([closed(control), closed(client)]);
      await turns(3);
      // The test's own.
      assert.equal(openSockets().length, before + 1);
    });
  }

  const gone: readonly (readonly [how: string, end: (client: Socket, control: Socket) => Promise<void>])[] = [
    [
      "has ended",
      async (client, control) => {
        client.end();
        await readAll(control);
      },
    ],
    [
      "is closed",
      async (_, control) => {
        control.destroy();
        await closed(control);
      },
    ],
  ];
  for (const [how, end] of gone) {
    it(`that ${how} before gives no association`, io, async (t) => {
      const [client, control] = await connectAt(t, "127.0.0.1", "127.0.0.1");
      client.once("end", () => client.end());
      await end(client, control);
      const association = new SocksAssociation({ control, expected: unspecified, idleTimeoutMs: 60_000 });
      await association.closed;
      await closed(client.resume());
    });
  }

  it("ends with the association, which may be closed twice", io, async (t) => {
    const { association, client, control } = await associate(t);
    association.close();
    association.close();
    assert.equal((await readAll(client)).length, 0);
    client.end();
    await Promise.all([association.closed, closed(control)]);
  });

  it("is destroyed after a while if the client does not end it, too", io, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { association, client, control } = await associate(t);
    association.close();
    await readAll(client);
    assert.equal(control.destroyed, false);
    t.mock.timers.tick(2_000);
    await closed(control);
  });

  it("drops what is sent when it is over", io, async (t) => {
    const { association, client } = await associate(t, { expected: "own" });
    client.resetAndDestroy();
    await association.closed;
    assert.equal((await sendPacket(association, "late", dns))?.message, "socket is closed");
  });
});

describe("SocksAssociation's idle time", () => {
  it("ends it, and its control connection", io, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { association, client, control } = await associate(t, { idleTimeoutMs: 1_000 });
    t.mock.timers.tick(999);
    await turns(3);
    assert.equal(control.writable, true);
    t.mock.timers.tick(1);
    assert.equal((await readAll(client)).length, 0);
    client.end();
    await Promise.all([association.closed, closed(control)]);
  });

  it("begins anew with each packet of its client's, and each to it", io, async (t) => {
    const touch = t.mock.method(IdleTimer.prototype, "touch");
    const { association, inbox, peer } = await associate(t);
    await peer.send(socks5Packet("", dns), association.relay);
    await inbox.next();
    assert.equal(touch.mock.callCount(), 1);
    await sendPacket(association, "", dns);
    assert.equal(touch.mock.callCount(), 2);
  });

  it("does not begin anew with somebody else's packets, or with what is none", io, async (t) => {
    const touch = t.mock.method(IdleTimer.prototype, "touch");
    const { association, inbox, peer } = await associate(t);
    const other = await openUdpPeer(t);
    await peer.send(socks5Packet("x", dns), association.relay);
    await inbox.next();
    await other.send(socks5Packet("x", dns), association.relay);
    await peer.send("no packet", association.relay);
    await peer.send(socks5Packet("x", dns), association.relay);
    await inbox.next();
    assert.equal(touch.mock.callCount(), 2);
  });

  it("is stopped with the association", io, async (t) => {
    const stop = t.mock.method(IdleTimer.prototype, "stop");
    const { association, client } = await associate(t);
    client.resetAndDestroy();
    await association.closed;
    assert.notEqual(stop.mock.callCount(), 0);
  });
});

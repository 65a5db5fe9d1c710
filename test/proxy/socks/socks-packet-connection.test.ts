import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { Endpoint } from "../../../src/net/endpoint.js";
import { SocksPacketConnection } from "../../../src/proxy/socks/socks-packet-connection.js";
import { readAll } from "../../helpers/bytes.js";
import { closePacketsAfter } from "../../helpers/close-packets.js";
import { withoutIPv6 } from "../../helpers/datagram-sockets.js";
import { PacketInbox, sendPacket } from "../../helpers/packet-inbox.js";
import { createRandom } from "../../helpers/random.js";
import { RecordingLogger } from "../../helpers/recording-logger.js";
import { socketPair } from "../../helpers/sockets.js";
import { readSocks5Packet, socks5Packet } from "../../helpers/socks5-udp-client.js";
import { closed, turns } from "../../helpers/timing.js";
import { openUdpPeer, type UdpPeer } from "../../helpers/udp-peer.js";
import { failOnUnhandled } from "../../helpers/unhandled.js";

const io = { timeout: 10_000 };
const origin: Endpoint = { host: "192.0.2.7", port: 53 };
/** The largest payload of a UDP datagram over IPv4, less what stands before an IPv4 address. */
const maxPayloadBytes = 65_507 - 10;
const ipv6 = { ...io, skip: withoutIPv6 };

/** A connection under test, and the server that a test plays. */
interface Association {
  readonly connection: SocksPacketConnection;
  readonly relay: UdpPeer;
  /** The server's end of the control connection. */
  readonly control: Socket;
  /** Our end of it. */
  readonly ownControl: Socket;
  readonly logger: RecordingLogger;
}

async function associate(t: TestContext, relayHost = "127.0.0.1"): Promise<Association> {
  const relay = await openUdpPeer(t, { host: relayHost });
  const { client, server } = await socketPair(t);
  const logger = new RecordingLogger();
  const connection = new SocksPacketConnection({ control: client, relay: relay.local, logger });
  closePacketsAfter(t, connection);
  return { connection, relay, control: server, ownControl: client, logger };
}

describe("SocksPacketConnection", () => {
  failOnUnhandled();

  const destinations: readonly Endpoint[] = [
    origin,
    { host: "2001:db8::7", port: 65_535 },
    { host: "name.example", port: 1 },
    { host: "n".repeat(255), port: 80 },
  ];
  for (const destination of destinations) {
    it(`tells the relay that a packet is for ${destination.host.slice(0, 20)}`, io, async (t) => {
      const { connection, relay } = await associate(t);
      assert.equal(await sendPacket(connection, "question", destination), undefined);
      const { payload } = await relay.receive();
      assert.deepEqual(payload, socks5Packet("question", destination));
    });
  }

  it("hands over what the relay sends, and where it says that it comes from", io, async (t) => {
    const { connection, relay } = await associate(t);
    const inbox = new PacketInbox(connection);
    await sendPacket(connection, "", origin);
    const { endpoint: from } = await relay.receive();
    for (const sender of [origin, { host: "2001:db8::7", port: 1 }, { host: "name.example", port: 2 }]) {
      await relay.send(socks5Packet("answer", sender), from);
      assert.deepEqual(await inbox.next(), { payload: Buffer.from("answer"), endpoint: sender });
    }
  });

  for (const length of [0, 1, 1_200, 9_000, maxPayloadBytes]) {
    it(`carries ${length} bytes there and back, every one of them`, io, async (t) => {
      const { connection, relay } = await associate(t);
      const inbox = new PacketInbox(connection);
      const random = createRandom(length);
      const [question, answer] = [random.bytes(length), random.bytes(length)];
      assert.equal(await sendPacket(connection, question, origin), undefined);
      const { payload: datagram, endpoint: from } = await relay.receive();
      assert.ok(readSocks5Packet(datagram).payload.equals(question));
      await relay.send(socks5Packet(answer, origin), from);
      assert.ok((await inbox.next()).payload.equals(answer));
    });
  }

  it("says of a packet that does not fit that it was not sent, and lives on", io, async (t) => {
    const { connection, relay } = await associate(t);
    const error = await sendPacket(connection, Buffer.alloc(maxPayloadBytes + 1), origin);
    assert.match(String(error), /EMSGSIZE/);
    // A longer header leaves less room.
    const longer = await sendPacket(connection, Buffer.alloc(maxPayloadBytes), { host: "::1", port: 1 });
    assert.match(String(longer), /EMSGSIZE/);
    assert.equal(await sendPacket(connection, "small", origin), undefined);
    assert.equal(readSocks5Packet((await relay.receive()).payload).payload.toString(), "small");
  });

  it("says of a packet for a name that is too long that it was not sent", io, async (t) => {
    const { connection } = await associate(t);
    const error = await sendPacket(connection, "x", { host: "n".repeat(256), port: 80 });
    assert.deepEqual(error, new RangeError("host name of 256 bytes, at most 255 fit"));
  });

  it("sends without being asked what came of it", io, async (t) => {
    const { connection, relay } = await associate(t);
    connection.send(Buffer.from("x"), { host: "n".repeat(256), port: 80 });
    connection.send(Buffer.from("y"), origin);
    assert.equal(readSocks5Packet((await relay.receive()).payload).payload.toString(), "y");
  });

  it("keeps what comes before it is received, in order, and says what does not fit", io, async (t) => {
    const { connection, relay, logger } = await associate(t);
    await sendPacket(connection, "", origin);
    const { endpoint: from } = await relay.receive();
    for (let index = 0; index < 257; index++) await relay.send(socks5Packet(`${index}`, origin), from);
    while (logger.lines.length === 0) await turns(1);
    const inbox = new PacketInbox(connection);
    for (let index = 0; index < 256; index++) {
      assert.equal((await inbox.next()).payload.toString(), `${index}`);
    }
    assert.equal(inbox.waitingCount, 0);
    assert.equal(logger.lines[0]?.fields?.["reason"], "too many packets wait to be received");
  });

  it("sends from the address under which the server knows us", io, async (t) => {
    const { connection, relay, ownControl } = await associate(t);
    await sendPacket(connection, "", origin);
    const { endpoint: from } = await relay.receive();
    assert.equal(from.host, ownControl.localAddress);
  });

  it("reaches a relay in the other address family", ipv6, async (t) => {
    const { connection, relay } = await associate(t, "::1");
    const inbox = new PacketInbox(connection);
    await sendPacket(connection, "question", origin);
    const { payload, endpoint: from } = await relay.receive();
    assert.equal(readSocks5Packet(payload).payload.toString(), "question");
    await relay.send(socks5Packet("answer", origin), from);
    assert.equal((await inbox.next()).payload.toString(), "answer");
  });
});

describe("SocksPacketConnection drops", () => {
  failOnUnhandled();
  const right = socks5Packet("right", origin);
  const wrong: readonly (readonly [title: string, datagram: Buffer, reason: RegExp])[] = [
    ["nothing at all", Buffer.alloc(0), /no SOCKS packet/],
    ["two zeros", Buffer.of(0, 0), /no SOCKS packet/],
    ["a header that is none", Buffer.from("HTTP/1.1 200 OK"), /no SOCKS packet/],
    ["a first fragment", socks5Packet("x", origin, 1), /fragment \(FRAG 1\)/],
    ["a last fragment", socks5Packet("x", origin, 0x81), /fragment \(FRAG 129\)/],
    ["an unknown address type", Buffer.of(0, 0, 0, 2, 1, 2, 3, 4, 0, 53, 1), /address type 2/],
    ["half an address", right.subarray(0, 9), /ends within its address/],
    ["a name that is none", socks5Packet("x", { host: "a\nb", port: 1 }), /no host name/],
    ["the port 0", socks5Packet("x", { ...origin, port: 0 }), /port is 0/],
  ];
  for (const [title, datagram, reason] of wrong) {
    it(`${title}, says so at debug, and lives on`, io, async (t) => {
      const { connection, relay, logger } = await associate(t);
      const inbox = new PacketInbox(connection);
      await sendPacket(connection, "", origin);
      const { endpoint: from } = await relay.receive();
      await relay.send(datagram, from);
      await relay.send(right, from);
      assert.equal((await inbox.next()).payload.toString(), "right");
      assert.equal(inbox.waitingCount, 0);
      assert.deepEqual(
        logger.lines.map(({ level, message }) => [level, message]),
        [["debug", "packet dropped"]],
      );
      assert.match(String(logger.lines[0]?.fields?.["reason"]), reason);
      const { host, port } = relay.local;
      assert.equal(logger.lines[0]?.fields?.["source"], `${host}:${port}`);
    });
  }

  it("what comes from another port of the relay's address, or from another address", io, async (t) => {
    const { connection, relay, logger } = await associate(t);
    const inbox = new PacketInbox(connection);
    await sendPacket(connection, "", origin);
    const { endpoint: from } = await relay.receive();
    const otherPort = await openUdpPeer(t);
    const otherHost = await openUdpPeer(t, { host: "127.0.0.2", port: relay.local.port });
    await otherPort.send(socks5Packet("stranger", origin), from);
    await otherHost.send(socks5Packet("stranger", origin), from);
    await relay.send(right, from);
    assert.equal((await inbox.next()).payload.toString(), "right");
    const reasons = logger.lines.map(({ fields }) => fields?.["reason"]);
    assert.deepEqual(reasons, ["it does not come from the relay", "it does not come from the relay"]);
  });
});

describe("SocksPacketConnection is over", () => {
  failOnUnhandled();
  const endings: readonly (readonly [title: string, end: (association: Association) => void])[] = [
    ["the server ends the control connection", ({ control }) => control.end()],
    ["the server ends it with a last word", ({ control }) => control.end("that is all")],
    ["the server resets the control connection", ({ control }) => control.resetAndDestroy()],
    [
      "our end of the control connection fails",
      ({ ownControl }) => ownControl.destroy(new Error("it broke")),
    ],
    [
      "it is closed",
      ({ connection }) => {
        connection.close();
      },
    ],
    [
      "it is closed twice",
      ({ connection }) => {
        connection.close();
        connection.close();
      },
    ],
  ];
  for (const [title, end] of endings) {
    it(`when ${title}, with both of its sockets`, io, async (t) => {
      const association = await associate(t);
      const { connection, control, ownControl } = association;
      control.resume();
      end(association);
      await connection.closed;
      assert.equal(ownControl.destroyed, true);
      control.end();
      await closed(control);
      assert.match(String(await sendPacket(connection, "late", origin)), /socket is closed/);
      connection.close();
    });
  }

  it("not when the server talks on the control connection", io, async (t) => {
    const { connection, control, relay } = await associate(t);
    control.write(Buffer.alloc(300_000, "noise"));
    await turns(20);
    assert.equal(await sendPacket(connection, "still here", origin), undefined);
    assert.equal(readSocks5Packet((await relay.receive()).payload).payload.toString(), "still here");
  });

  it("at once where the control connection is gone already", io, async (t) => {
    const relay = await openUdpPeer(t);
    for (const how of ["ended", "destroyed", "closed"] as const) {
      const { client, server } = await socketPair(t);
      if (how === "ended") {
        server.end();
        await readAll(client);
      } else client.destroy();
      if (how === "closed") await closed(client);
      await new SocksPacketConnection({ control: client, relay: relay.local }).closed;
    }
  });
});

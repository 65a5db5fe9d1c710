import assert from "node:assert/strict";
import { Socket as DatagramSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { DialError } from "../../../src/net/dial-error.js";
import type { Endpoint } from "../../../src/net/endpoint.js";
import { SocksOutbound, type SocksOutboundOptions } from "../../../src/proxy/socks/socks-outbound.js";
import { readAll } from "../../helpers/bytes.js";
import { startDestination, type Destination } from "../../helpers/destination.js";
import { closePacketsAfter } from "../../helpers/close-packets.js";
import { withoutIPv6 } from "../../helpers/datagram-sockets.js";
import { PacketInbox } from "../../helpers/packet-inbox.js";
import { RecordingLogger } from "../../helpers/recording-logger.js";
import { socks5Login, socks5Request } from "../../helpers/socks5-client.js";
import { hearSocks5, serveSocks5, socks5Reply } from "../../helpers/socks5-upstream.js";
import { socks5Packet } from "../../helpers/socks5-udp-client.js";
import { addressOf, closeAfter } from "../../helpers/sockets.js";
import { closed, event, turns } from "../../helpers/timing.js";
import { openUdpPeer } from "../../helpers/udp-peer.js";
import { failOnUnhandled } from "../../helpers/unhandled.js";

const io = { timeout: 10_000 };
const ipv6 = { ...io, skip: withoutIPv6 };
const login = { username: "alice", password: "zqxjkvbw" };
const unspecified: Endpoint = { host: "0.0.0.0", port: 0 };
const never = new Promise<never>(() => undefined);

/** A server that a test plays, and an outbound that leaves through it. */
interface Upstream {
  readonly server: Destination;
  readonly outbound: SocksOutbound;
}

async function startUpstream(t: TestContext, options: Partial<SocksOutboundOptions> = {}): Promise<Upstream> {
  const server = await startDestination(t);
  return { server, outbound: new SocksOutbound({ tag: "out", server: server.endpoint, ...options }) };
}

describe("SocksOutbound's way for packets", () => {
  failOnUnhandled();
  const origin: Endpoint = { host: "name.example", port: 53 };

  /** Dials it with a server that has its relay there. */
  async function dialPackets(t: TestContext, bound: (relay: Endpoint) => Endpoint, lookupHost?: string) {
    const relay = await openUdpPeer(t);
    const logger = new RecordingLogger();
    const { server, outbound } = await startUpstream(t, {
      logger,
      lookup: async (host) => {
        assert.equal(host, lookupHost);
        return Promise.resolve(["127.0.0.1"]);
      },
    });
    const dialled = outbound.dialPackets();
    const control = await server.accept();
    const heard = await serveSocks5(control, { reply: socks5Reply(0, bound(relay.local)) });
    const connection = await dialled;
    closePacketsAfter(t, connection);
    return { connection, relay, control, heard, logger };
  }

  it("asks for an association, from where nobody knows yet", io, async (t) => {
    const { heard } = await dialPackets(t, (relay) => relay);
    assert.deepEqual(heard, { greeting: "050100", request: socks5Request(unspecified, 3).toString("hex") });
  });

  const places: readonly (readonly [title: string, bound: (relay: Endpoint) => Endpoint, name?: string])[] = [
    ["at its address", (relay) => relay],
    ["at its address, mapped", ({ port }) => ({ host: "::ffff:127.0.0.1", port })],
    ["at zeros", ({ port }) => ({ host: "0.0.0.0", port })],
    ["at the zeros of IPv6", ({ port }) => ({ host: "::", port })],
    ["at a name", ({ port }) => ({ host: "relay.test", port }), "relay.test"],
  ];
  for (const [title, bound, name] of places) {
    it(`leads to a relay ${title}`, io, async (t) => {
      const { connection, relay } = await dialPackets(t, bound, name);
      const inbox = new PacketInbox(connection);
      connection.send(Buffer.from("question"), origin);
      const { payload, endpoint: from } = await relay.receive();
      assert.deepEqual(payload, socks5Packet("question", origin));
      await relay.send(socks5Packet("answer", { host: "192.0.2.7", port: 53 }), from);
      assert.equal((await inbox.next()).payload.toString(), "answer");
    });
  }

  it("leads over IPv6 to a server of IPv6", ipv6, async (t) => {
    const server = createServer({ allowHalfOpen: true });
    closeAfter(t, server);
    const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
    server.listen(0, "::1");
    await event(server, "listening");
    const relay = await openUdpPeer(t, { host: "::1" });
    const endpoint = { host: "::1", port: addressOf(server).port };
    const dialled = new SocksOutbound({ tag: "out", server: endpoint }).dialPackets();
    const control = await accepted;
    closeAfter(t, control);
    const bound = { host: "::", port: relay.local.port };
    const { request } = await serveSocks5(control, { reply: socks5Reply(0, bound) });
    assert.equal(request, socks5Request({ host: "::", port: 0 }, 3).toString("hex"));
    const connection = await dialled;
    closePacketsAfter(t, connection);
    const inbox = new PacketInbox(connection);
    connection.send(Buffer.from("question"), origin);
    const { payload, endpoint: from } = await relay.receive();
    assert.deepEqual(payload, socks5Packet("question", origin));
    await relay.send(socks5Packet("answer", { host: "2001:db8::7", port: 53 }), from);
    assert.equal((await inbox.next()).payload.toString(), "answer");
  });

  it("logs in where it has a login", io, async (t) => {
    const { server, outbound } = await startUpstream(t, { login });
    const dialled = outbound.dialPackets();
    const relay = await openUdpPeer(t);
    const heard = await serveSocks5(await server.accept(), { method: 2, reply: socks5Reply(0, relay.local) });
    closePacketsAfter(t, await dialled);
    assert.equal(heard.login, socks5Login(login.username, login.password).toString("hex"));
  });

  it("logs what it drops", io, async (t) => {
    const { connection, relay, logger } = await dialPackets(t, (local) => local);
    const inbox = new PacketInbox(connection);
    connection.send(Buffer.alloc(0), origin);
    const { payload, endpoint: from } = await relay.receive();
    assert.equal(payload.length, socks5Packet("", origin).length);
    await relay.send("no packet", from);
    await relay.send(socks5Packet("packet", { host: "192.0.2.7", port: 53 }), from);
    assert.equal((await inbox.next()).payload.toString(), "packet");
    assert.deepEqual(logger.messages("debug"), ["packet dropped"]);
  });

  it(
    "is over when the server ends the control connection, even in one segment with its reply",
    io,
    async (t) => {
      const { connection, control } = await dialPackets(t, (relay) => relay);
      control.end();
      await connection.closed;
      await closed(control.resume());

      const { server, outbound } = await startUpstream(t, {
        lookup: async () => {
          await turns(20);
          return ["127.0.0.1"];
        },
      });
      const dialled = outbound.dialPackets();
      const hasty = await server.accept();
      await hearSocks5(hasty);
      hasty.end(socks5Reply(0, { host: "relay.test", port: 9 }));
      await (
        await dialled
      ).closed;
      await closed(hasty.resume());
    },
  );

  it("closes the control connection when it is closed", io, async (t) => {
    const { connection, control } = await dialPackets(t, (relay) => relay);
    connection.close();
    assert.equal((await readAll(control)).length, 0);
    control.end();
    await connection.closed;
  });

  it("outlives the signal by which its dial could have been given up", io, async (t) => {
    const relay = await openUdpPeer(t);
    const { server, outbound } = await startUpstream(t);
    const giveUp = new AbortController();
    const dialled = outbound.dialPackets({ signal: giveUp.signal });
    await serveSocks5(await server.accept(), { reply: socks5Reply(0, relay.local) });
    const connection = await dialled;
    closePacketsAfter(t, connection);
    giveUp.abort();
    await turns(5);
    connection.send(Buffer.from("still"), origin);
    await relay.receive();
  });

  const refusals: readonly (readonly [title: string, reply: Buffer, code: string, reason: string])[] = [
    ["takes connections only", socks5Reply(7), "failed", "it replies 7 (command not supported)"],
    ["does not allow it", socks5Reply(2), "blocked", "it replies 2 (not allowed by its rules)"],
    ["has no port for it", socks5Reply(0, unspecified), "failed", "its relay for packets has the port 0"],
    [
      "has a relay whose name has no address",
      socks5Reply(0, { host: "relay.test", port: 9 }),
      "unresolved",
      "its relay for packets, relay.test, has no address",
    ],
  ];
  for (const [title, reply, code, reason] of refusals) {
    it(`is none with a server that ${title}, which is left alone`, io, async (t) => {
      const { server, outbound } = await startUpstream(t, { lookup: async () => Promise.resolve([]) });
      const dialled = outbound.dialPackets();
      dialled.catch(() => undefined);
      const control = await server.accept();
      await serveSocks5(control, { reply });
      const what = `send packets through SOCKS server 127.0.0.1:${server.endpoint.port}`;
      const outcome: unknown = await dialled.catch((error: unknown) => error);
      assert.ok(outcome instanceof DialError);
      assert.deepEqual([outcome.code, outcome.message], [code, `${what}: ${reason}`]);
      await closed(control.resume());
    });
  }

  it("is none where no port can be had", io, async (t) => {
    const { server, outbound } = await startUpstream(t);
    t.mock.method(DatagramSocket.prototype, "bind", function bind(this: DatagramSocket) {
      this.emit("error", Object.assign(new Error("bind EMFILE"), { code: "EMFILE" }));
      return this;
    });
    const dialled = outbound.dialPackets();
    dialled.catch(() => undefined);
    const control = await server.accept();
    await serveSocks5(control, { reply: socks5Reply(0, { host: "127.0.0.1", port: 9 }) });
    await assert.rejects(dialled, { name: "DialError", code: "failed", message: /EMFILE/ });
    await closed(control.resume());
  });

  it(
    "gives the look-up of a relay no more than the time that is left, and leaves nothing open afterwards",
    io,
    async (t) => {
      let answer: (addresses: readonly string[]) => void = () => undefined;
      const { server, outbound } = await startUpstream(t, {
        connectTimeoutMs: 60,
        lookup: async () => new Promise((resolve) => (answer = resolve)),
      });
      const dialled = outbound.dialPackets();
      dialled.catch(() => undefined);
      const control = await server.accept();
      await serveSocks5(control, { reply: socks5Reply(0, { host: "relay.test", port: 9 }) });
      await assert.rejects(dialled, { code: "timeout" });
      await closed(control.resume());
      answer(["127.0.0.1"]);
      await turns(10);
      assert.ok(!process.getActiveResourcesInfo().some((name) => name.startsWith("UDP")));
    },
  );

  it("stops when it is given up in the handshake", io, async (t) => {
    const { server, outbound } = await startUpstream(t, { lookup: async () => never });
    const giveUp = new AbortController();
    const dialled = outbound.dialPackets({ signal: giveUp.signal });
    dialled.catch(() => undefined);
    const control = await server.accept();
    await serveSocks5(control, { reply: socks5Reply(0, { host: "relay.test", port: 9 }) });
    await turns(5);
    giveUp.abort();
    await assert.rejects(dialled, { code: "aborted" });
    await closed(control.resume());
  });
});

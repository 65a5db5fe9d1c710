import assert from "node:assert/strict";
import { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { Resolver } from "../../../src/net/resolver.js";
import { DirectOutbound } from "../../../src/proxy/direct/direct-outbound.js";
import { carriesPackets, type OutboundConnection } from "../../../src/proxy/outbound.js";
import { readAll } from "../../helpers/bytes.js";
import { startDestination } from "../../helpers/destination.js";
import { PacketInbox, sendPacket } from "../../helpers/packet-inbox.js";
import { closeAfter, closedPort } from "../../helpers/sockets.js";
import { startUdpEcho } from "../../helpers/udp-echo.js";
import { openUdpPeer } from "../../helpers/udp-peer.js";

const never = new Promise<never>(() => undefined);
const deaf = new Resolver({ lookup: async () => never });
const io = { timeout: 10_000 };

async function dialFrom(
  t: TestContext,
  outbound: DirectOutbound,
  host: string,
  port: number,
): Promise<OutboundConnection> {
  const opened = await outbound.dial({ host, port });
  closeAfter(t, opened.connection);
  return opened;
}

describe("DirectOutbound", () => {
  it("has its tag, and blocks nothing", () => {
    const { tag, blocks } = new DirectOutbound({ tag: "out" });
    assert.deepEqual({ tag, blocks }, { tag: "out", blocks: false });
  });

  it("connects to the destination and knows its own end of the connection", io, async (t) => {
    const destination = await startDestination(t);
    const { host, port } = destination.endpoint;
    const { boundTo } = await dialFrom(t, new DirectOutbound({ tag: "out" }), host, port);
    const remote = await destination.accept();
    assert.deepEqual(boundTo, { host: "127.0.0.1", port: remote.remotePort });
  });

  it("opens connections that can be half closed, from either end", io, async (t) => {
    const destination = await startDestination(t);
    const { host, port } = destination.endpoint;
    const { connection } = await dialFrom(t, new DirectOutbound({ tag: "out" }), host, port);
    const remote = await destination.accept();
    remote.end("early");
    assert.equal((await readAll(connection)).toString(), "early");
    connection.end("late");
    assert.equal((await readAll(remote)).toString(), "late");
  });

  it("dials as its options say", io, async (t) => {
    const destination = await startDestination(t);
    const asked: string[] = [];
    const lookup = async (host: string) => {
      asked.push(host);
      return Promise.resolve(["127.0.0.1"]);
    };
    const outbound = new DirectOutbound({ tag: "out", resolver: new Resolver({ lookup }) });
    const { connection } = await dialFrom(t, outbound, "name.test", destination.endpoint.port);
    assert.deepEqual(asked, ["name.test"]);
    assert.ok(connection instanceof Socket);
    assert.equal(connection.remoteAddress, "127.0.0.1");
  });

  it("fails as the dial does: refused", io, async (t) => {
    closeAfter(t);
    const port = await closedPort();
    const dialled = new DirectOutbound({ tag: "out" }).dial({ host: "127.0.0.1", port });
    await assert.rejects(dialled, { name: "DialError", code: "refused" });
  });

  it("fails as the dial does: too slow", io, async (t) => {
    closeAfter(t);
    const outbound = new DirectOutbound({ tag: "out", connectTimeoutMs: 10, resolver: deaf });
    await assert.rejects(outbound.dial({ host: "name.test", port: 1 }), { code: "timeout" });
  });

  it("fails as the dial does: given up", io, async (t) => {
    closeAfter(t);
    const gone = new AbortController();
    const outbound = new DirectOutbound({ tag: "out", resolver: deaf });
    const dialled = outbound.dial({ host: "name.test", port: 1 }, { signal: gone.signal });
    gone.abort();
    await assert.rejects(dialled, { code: "aborted" });
  });
});

describe("DirectOutbound for packets", () => {
  it("carries packets", () => {
    assert.equal(carriesPackets(new DirectOutbound({ tag: "out" })), true);
  });

  it("sends them straight to their destinations, and back", io, async (t) => {
    const echo = await startUdpEcho(t);
    const packets = await new DirectOutbound({ tag: "out" }).dialPackets();
    closeAfter(t, packets);
    const inbox = new PacketInbox(packets);
    assert.equal(await sendPacket(packets, "hello", echo.endpoint), undefined);
    assert.deepEqual(await inbox.nextText(), ["hello", echo.endpoint]);
  });

  it("looks names up as its options say", io, async (t) => {
    const echo = await startUdpEcho(t);
    const asked: string[] = [];
    const lookup = async (host: string) => {
      asked.push(host);
      return Promise.resolve(["127.0.0.1"]);
    };
    const packets = await new DirectOutbound({
      tag: "out",
      resolver: new Resolver({ lookup }),
    }).dialPackets();
    closeAfter(t, packets);
    const inbox = new PacketInbox(packets);
    await sendPacket(packets, "hello", { host: "name.test", port: echo.endpoint.port });
    assert.deepEqual(await inbox.nextText(), ["hello", echo.endpoint]);
    assert.deepEqual(asked, ["name.test"]);
  });

  it("has a port for each client, so that none hears another's answers", io, async (t) => {
    const peer = await openUdpPeer(t);
    const outbound = new DirectOutbound({ tag: "out" });
    const ports: number[] = [];
    for (const text of ["one", "two"]) {
      const packets = await outbound.dialPackets();
      closeAfter(t, packets);
      await sendPacket(packets, text, peer.local);
      ports.push((await peer.receive()).endpoint.port);
    }
    assert.notEqual(ports[0], ports[1]);
  });
});

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { DatagramSocket } from "../../../src/net/datagram-socket.js";
import type { Endpoint } from "../../../src/net/endpoint.js";
import { IdleTimer } from "../../../src/net/idle-timer.js";
import { DirectSession } from "../../../src/proxy/direct/direct-session.js";
import { PacketInbox, sendPacket } from "../../helpers/packet-inbox.js";
import { closeAfter } from "../../helpers/sockets.js";
import { turns } from "../../helpers/timing.js";
import { openUdpPeer, type UdpPeer } from "../../helpers/udp-peer.js";

const io = { timeout: 10_000 };
const destination: Endpoint = { host: "service.test", port: 53 };
const remote: Endpoint = { host: "192.0.2.1", port: 53 };

interface Fixture {
  readonly session: DirectSession;
  readonly socket: DatagramSocket;
  /** The client. */
  readonly peer: UdpPeer;
}

async function open(t: TestContext, idleTimeoutMs = 60_000): Promise<Fixture> {
  const peer = await openUdpPeer(t);
  const socket = new DatagramSocket({
    local: { host: "127.0.0.1", port: 0 },
    onDatagram: () => assert.fail("the session is not asked"),
  });
  const session = new DirectSession({ socket, client: peer.local, destination, idleTimeoutMs });
  closeAfter(t, socket, session);
  return { session, socket, peer };
}

describe("DirectSession", () => {
  it("hands over what its client sends, for the one destination", io, async (t) => {
    const { session } = await open(t);
    const inbox = new PacketInbox(session);
    for (const text of ["one", "", "three"]) session.deliver(Buffer.from(text));
    for (const text of ["one", "", "three"]) assert.deepEqual(await inbox.nextText(), [text, destination]);
  });

  it("drops what comes before somebody receives", io, async (t) => {
    const { session } = await open(t);
    session.deliver(Buffer.from("early"));
    const inbox = new PacketInbox(session);
    session.deliver(Buffer.from("in time"));
    assert.deepEqual(await inbox.nextText(), ["in time", destination]);
  });

  it("sends answers from the inbound's port, wherever they come from", io, async (t) => {
    const { session, socket, peer } = await open(t);
    for (const from of [remote, destination, { host: "::1", port: 1 }]) {
      assert.equal(await sendPacket(session, `from ${from.host}`, from), undefined);
      const { payload, endpoint } = await peer.receive();
      assert.deepEqual([payload.toString(), endpoint], [`from ${from.host}`, socket.local]);
    }
    session.send(Buffer.from("nobody asks"), remote);
    assert.equal((await peer.receive()).payload.toString(), "nobody asks");
  });

  it("tells what could not be sent", io, async (t) => {
    const { session, socket } = await open(t);
    assert.match((await sendPacket(session, Buffer.alloc(65_508), remote))?.message ?? "", /EMSGSIZE/);
    socket.close();
    assert.equal((await sendPacket(session, "x", remote))?.message, "socket is closed");
  });

  it("ends with its close, which may come twice, and leaves the inbound's port open", io, async (t) => {
    const { session, socket, peer } = await open(t);
    let isOver = false;
    void session.closed.then(() => (isOver = true));
    await turns(2);
    assert.equal(isOver, false);
    session.close();
    session.close();
    await session.closed;
    await new Promise<Error | undefined>((resolve) => {
      socket.send(Buffer.from("still open"), peer.local, resolve);
    });
    assert.equal((await peer.receive()).payload.toString(), "still open");
  });

  it("ends when nothing has passed for as long as it may be idle", io, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { session } = await open(t, 1_000);
    let isOver = false;
    void session.closed.then(() => (isOver = true));
    t.mock.timers.tick(999);
    await turns(2);
    assert.equal(isOver, false);
    t.mock.timers.tick(1);
    await session.closed;
  });

  it("is idle anew after each packet, both ways", io, async (t) => {
    const touch = t.mock.method(IdleTimer.prototype, "touch");
    const { session } = await open(t);
    session.deliver(Buffer.alloc(0));
    assert.equal(touch.mock.callCount(), 1);
    await sendPacket(session, "", remote);
    assert.equal(touch.mock.callCount(), 2);
  });

  it("leaves no timer behind", io, async (t) => {
    const stop = t.mock.method(IdleTimer.prototype, "stop");
    const { session } = await open(t);
    session.close();
    assert.equal(stop.mock.callCount(), 1);
  });
});

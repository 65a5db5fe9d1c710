import assert from "node:assert/strict";
import { Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { describe, it } from "node:test";
import { DatagramSocket } from "../../src/net/datagram-socket.js";
import type { Endpoint } from "../../src/net/endpoint.js";
import { bindError, codeOf, openSocket, withoutIPv6 } from "../helpers/datagram-sockets.js";
import { closeAfter } from "../helpers/sockets.js";
import { turns } from "../helpers/timing.js";
import { openUdpPeer } from "../helpers/udp-peer.js";

const io = { timeout: 10_000 };

describe("DatagramSocket that cannot do what it is told", () => {
  const unusable: readonly (readonly [host: string, message: string])[] = [
    // 198.51.100.0/24 and 2001:db8::/32 are for documentation.
    ["198.51.100.77", "listen 198.51.100.77:0: address not available on this machine"],
    ["2001:db8::77", "listen [2001:db8::77]:0: address not available on this machine"],
    ["localhost", "listen localhost:0: bind EINVAL localhost"],
  ];
  for (const [host, message] of unusable) {
    const skip = isIPv6(host) ? withoutIPv6 : false;
    it(`cannot be bound to ${host}, and leaves nothing behind`, { ...io, skip }, async (t) => {
      closeAfter(t);
      assert.equal(bindError({ host, port: 0 }).message, message);
      await turns(4);
    });
  }

  const unreachable: readonly (readonly [title: string, from: string, to: Endpoint, code: string])[] = [
    ["port 0", "127.0.0.1", { host: "127.0.0.1", port: 0 }, "ERR_SOCKET_BAD_PORT"],
    ["a port that there is not", "127.0.0.1", { host: "127.0.0.1", port: 65_536 }, "ERR_SOCKET_BAD_PORT"],
    ["an IPv6 address from IPv4", "127.0.0.1", { host: "::1", port: 9 }, "EINVAL"],
    ["an IPv4 address from IPv6", "::1", { host: "127.0.0.1", port: 9 }, "EINVAL"],
    ["a name, which it does not resolve", "127.0.0.1", { host: "localhost", port: 9 }, "EINVAL"],
  ];
  for (const [title, from, to, code] of unreachable) {
    const skip = isIPv6(from) ? withoutIPv6 : false;
    it(`tells the sender once, and throws nothing, about ${title}`, { ...io, skip }, async (t) => {
      const { socket } = openSocket(t, from);
      const told: unknown[] = [];
      socket.send(Buffer.from("x"), to, (error) => told.push(codeOf(error)));
      await turns(4);
      assert.deepEqual(told, [code]);
    });
  }

  // That the operating system lets datagrams wait cannot be brought about over loopback: it always takes them.
  const queues: readonly (readonly [title: string, count: number, bytes: number, isFull: boolean])[] = [
    ["255 datagrams, or a byte less than 1 MiB,", 255, 1024 * 1024 - 1, false],
    ["256 datagrams", 256, 0, true],
    ["1 MiB", 1, 1024 * 1024, true],
  ];
  for (const [title, count, bytes, isFull] of queues) {
    it(`${isFull ? "drops" : "still takes"} a datagram when ${title} wait to be sent`, io, async (t) => {
      const { socket, send } = openSocket(t);
      const peer = await openUdpPeer(t);
      t.mock.method(Socket.prototype, "getSendQueueCount", () => count);
      t.mock.method(Socket.prototype, "getSendQueueSize", () => bytes);
      const told: unknown[] = [];
      socket.send(Buffer.from("one more"), peer.local, (error) => told.push(error?.message));
      await turns(4);
      assert.deepEqual(told, [isFull ? "too many packets wait to be sent" : undefined]);
      t.mock.restoreAll();
      await send(Buffer.from("next"), peer.local);
      const first = (await peer.receive()).payload.toString();
      assert.equal(first, isFull ? "next" : "one more");
    });
  }

  it("goes on when the operating system reports an error of nobody's sending, and another", io, async (t) => {
    const { socket, send, received, arrived } = openSocket(t);
    const peer = await openUdpPeer(t);
    const underlying: Socket[] = [];
    t.mock.method(Socket.prototype, "getSendQueueCount", function (this: Socket) {
      underlying.push(this);
      return 0;
    });
    await send(Buffer.from("hello"), peer.local);
    for (const code of ["ECONNREFUSED", "ENETDOWN"]) {
      underlying[0]?.emit("error", Object.assign(new Error(`recvmsg ${code}`), { code }));
    }
    assert.equal((await peer.receive()).payload.toString(), "hello");
    await peer.send("answer", socket.local);
    await arrived(1);
    assert.deepEqual(received[0]?.endpoint, peer.local);
  });
});

describe("DatagramSocket that is to be connected", () => {
  const unreachable: readonly (readonly [title: string, to: Endpoint])[] = [
    ["port 0", { host: "127.0.0.1", port: 0 }],
    ["an IPv6 address from IPv4", { host: "::1", port: 9 }],
    ["a name, which it does not resolve", { host: "localhost", port: 9 }],
  ];
  for (const [title, to] of unreachable) {
    it(`stays as it is when that is ${title}`, io, async (t) => {
      const { socket, send, arrived } = openSocket(t);
      socket.connect(to);
      await turns(4);
      for (const peer of [await openUdpPeer(t), await openUdpPeer(t)]) {
        assert.equal(await send(Buffer.from("hello"), peer.local), undefined);
        assert.equal((await peer.receive()).payload.toString(), "hello");
        await peer.send("answer", socket.local);
      }
      await arrived(2);
    });
  }

  it(
    "is not harmed by a port where nobody listens any more, and loses nothing but what goes there",
    io,
    async (t) => {
      const { socket, send, arrived } = openSocket(t);
      const deaf = await openUdpPeer(t);
      const { port } = deaf.local;
      await deaf[Symbol.asyncDispose]();
      socket.connect({ host: "127.0.0.1", port });
      for (let round = 0; round < 5; round++) {
        assert.equal(await send(Buffer.from("anybody?"), socket.local), undefined);
      }
      const peer = await openUdpPeer(t, { port });
      assert.equal(await send(Buffer.from("hello"), socket.local), undefined);
      assert.equal((await peer.receive()).payload.toString(), "hello");
      await peer.send("answer", socket.local);
      await arrived(1);
    },
  );

  // Of these loopback tells nothing by itself: that it was too large for the way, that a firewall refuses it.
  for (const code of ["ECONNREFUSED", "EMSGSIZE", "EHOSTUNREACH", "EACCES"]) {
    it(`loses nothing when it is told ${code} of what it sent before`, io, async (t) => {
      const { socket, send } = openSocket(t);
      const peer = await openUdpPeer(t);
      socket.connect(peer.local);
      const told = t.mock.method(Socket.prototype, "send", (_: Buffer, onSent: (error: Error) => void) => {
        told.mock.restore();
        setImmediate(onSent, Object.assign(new Error(`send ${code}`), { code }));
      });
      assert.equal(await send(Buffer.from("hello"), peer.local), undefined);
      assert.equal((await peer.receive()).payload.toString(), "hello");
      assert.equal(peer.waitingCount, 0);
    });
  }

  it("says of what is too large by itself that it is", io, async (t) => {
    const { socket, send } = openSocket(t);
    const peer = await openUdpPeer(t);
    socket.connect(peer.local);
    assert.equal(codeOf(await send(Buffer.alloc(65_508), peer.local)), "EMSGSIZE");
    assert.equal(await send(Buffer.from("next"), peer.local), undefined);
    assert.equal((await peer.receive()).payload.toString(), "next");
  });

  it("is not sent again what was refused when it is closed meanwhile", io, async (t) => {
    const { socket, send } = openSocket(t);
    const deaf = await openUdpPeer(t);
    const { port } = deaf.local;
    await deaf[Symbol.asyncDispose]();
    socket.connect({ host: "127.0.0.1", port });
    await send(Buffer.from("anybody?"), socket.local);
    const told = send(Buffer.from("refused"), socket.local);
    socket.close();
    assert.equal((await told)?.message, "socket is closed");
  });

  it("is left alone when it is closed", io, async (t) => {
    const { socket } = openSocket(t);
    socket.close();
    socket.connect({ host: "127.0.0.1", port: 9 });
    await socket.closed;
  });
});

describe("DatagramSocket that is closed", () => {
  it("sends nothing when it is closed, and says so", io, async (t) => {
    const { socket } = openSocket(t);
    const peer = await openUdpPeer(t);
    socket.close();
    const told: unknown[] = [];
    socket.send(Buffer.from("late"), peer.local, (error) => told.push(error?.message));
    assert.deepEqual(told, ["socket is closed"]);
    await socket.closed;
    await peer.send("fence", peer.local);
    assert.equal((await peer.receive()).payload.toString(), "fence");
    assert.deepEqual(told, ["socket is closed"]);
  });

  it("has sent what was sent right before it is closed", io, async (t) => {
    const { socket, send } = openSocket(t);
    const peer = await openUdpPeer(t);
    const told = send(Buffer.from("last words"), peer.local);
    socket.close();
    assert.equal(await told, undefined);
    assert.equal((await peer.receive()).payload.toString(), "last words");
  });

  it("can be closed twice, and says when it is closed", io, async (t) => {
    const { socket } = openSocket(t);
    let isClosed = false;
    const closing = socket.closed.then(() => (isClosed = true));
    await turns(4);
    assert.equal(isClosed, false);
    socket.close();
    socket.close();
    await closing;
    socket.close();
    await socket.closed;
  });

  it("receives nothing more once it is closed, not even what has come", io, async (t) => {
    const { socket, received } = openSocket(t);
    const peer = await openUdpPeer(t);
    await Promise.all(["a", "b", "c"].map(async (text) => peer.send(text, socket.local)));
    socket.close();
    await turns(10);
    assert.deepEqual(received, []);
  });

  it(
    "can be closed while it hands a datagram over, and hands over none of those behind it",
    io,
    async (t) => {
      const peer = await openUdpPeer(t);
      const received: string[] = [];
      const socket = new DatagramSocket({
        local: { host: "127.0.0.1", port: 0 },
        onDatagram: (datagram) => {
          received.push(datagram.toString());
          socket.close();
          socket.send(datagram, peer.local, (error) => received.push(String(error?.message)));
        },
      });
      closeAfter(t, socket);
      await Promise.all(["a", "b", "c"].map(async (text) => peer.send(text, socket.local)));
      await socket.closed;
      await turns(10);
      assert.deepEqual(received, ["a", "socket is closed"]);
    },
  );
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bindError, codeOf, openSocket, withoutIPv6 } from "../helpers/datagram-sockets.js";
import { createRandom } from "../helpers/random.js";
import { openSockets } from "../helpers/sockets.js";
import { turns } from "../helpers/timing.js";
import { openUdpPeer } from "../helpers/udp-peer.js";

const io = { timeout: 10_000 };
/** The loopback address of each family, and how many bytes a datagram of it holds. */
const families = [
  { host: "127.0.0.1", maxBytes: 65_507, skip: false },
  { host: "::1", maxBytes: 65_527, skip: withoutIPv6 },
] as const;

for (const { host, maxBytes, skip } of families) {
  describe(`DatagramSocket on ${host}`, { skip }, () => {
    const shown = host === "::1" ? "[::1]" : host;

    it("is bound when it is made, and says where", io, async (t) => {
      const { socket, received, arrived } = openSocket(t, host);
      assert.equal(socket.local.host, host);
      assert.ok(socket.local.port > 0);
      const peer = await openUdpPeer(t, { host });
      await peer.send("hello", socket.local);
      await arrived(1);
      assert.deepEqual(received, [{ payload: Buffer.from("hello"), endpoint: peer.local }]);
    });

    it("is bound to the port that it is told", io, async (t) => {
      const peer = await openUdpPeer(t, { host });
      const { port } = peer.local;
      await peer[Symbol.asyncDispose]();
      assert.deepEqual(openSocket(t, host, port).socket.local, { host, port });
    });

    it("says that an address is in use, and leaves nothing behind", io, async (t) => {
      const peer = await openUdpPeer(t, { host });
      const before = openSockets();
      const error = bindError(peer.local);
      assert.equal(error.message, `listen ${shown}:${peer.local.port}: address in use`);
      assert.equal(codeOf(error.cause), "EADDRINUSE");
      await turns(4);
      assert.deepEqual(openSockets(), before);
      await peer.send("still mine", peer.local);
      assert.equal((await peer.receive()).payload.toString(), "still mine");
    });

    it("shares its address with nobody", io, (t) => {
      const { socket } = openSocket(t, host);
      assert.match(bindError(socket.local).message, /address in use$/);
    });

    for (const bytes of new Set([0, 1, 1_200, 65_507, maxBytes])) {
      it(`receives a datagram of ${bytes} bytes whole`, io, async (t) => {
        const { socket, received, arrived } = openSocket(t, host);
        const peer = await openUdpPeer(t, { host });
        const payload = createRandom(bytes).bytes(bytes);
        await peer.send(payload, socket.local);
        await arrived(1);
        assert.ok(received[0]?.payload.equals(payload));
      });

      it(`sends a datagram of ${bytes} bytes whole, and says so`, io, async (t) => {
        const { socket, send } = openSocket(t, host);
        const peer = await openUdpPeer(t, { host });
        const payload = createRandom(bytes).bytes(bytes);
        assert.equal(await send(payload, peer.local), undefined);
        const arrived = await peer.receive();
        assert.ok(arrived.payload.equals(payload));
        assert.deepEqual(arrived.endpoint, socket.local);
      });
    }

    it(`says that ${maxBytes + 1} bytes are too many, and sends nothing of them`, io, async (t) => {
      const { send } = openSocket(t, host);
      const peer = await openUdpPeer(t, { host });
      assert.equal(codeOf(await send(Buffer.alloc(maxBytes + 1), peer.local)), "EMSGSIZE");
      assert.equal(await send(Buffer.from("next"), peer.local), undefined);
      assert.equal((await peer.receive()).payload.toString(), "next");
      assert.equal(peer.waitingCount, 0);
    });

    it("sends several pieces as one datagram", io, async (t) => {
      const { send } = openSocket(t, host);
      const peer = await openUdpPeer(t, { host });
      const pieces = ["head ", "", "payload"].map((piece) => Buffer.from(piece));
      assert.equal(await send(pieces, peer.local), undefined);
      assert.equal((await peer.receive()).payload.toString(), "head payload");
      assert.equal(peer.waitingCount, 0);
    });

    it("is not harmed by ports where nobody listens", io, async (t) => {
      const { socket, send, arrived } = openSocket(t, host);
      const deaf = await openUdpPeer(t, { host });
      const nowhere = deaf.local;
      await deaf[Symbol.asyncDispose]();
      const peer = await openUdpPeer(t, { host });
      for (let round = 1; round <= 5; round++) {
        assert.equal(await send(Buffer.from("anybody?"), nowhere), undefined);
        assert.equal(await send(Buffer.from("hello"), peer.local), undefined);
        assert.equal((await peer.receive()).payload.toString(), "hello");
        await peer.send("answer", socket.local);
        await arrived(round);
      }
    });

    it("hears and writes to nobody else once it is connected", io, async (t) => {
      const { socket, received, arrived, send } = openSocket(t, host);
      const [peer, other] = [await openUdpPeer(t, { host }), await openUdpPeer(t, { host })];
      socket.connect(peer.local);
      // Once is for good.
      socket.connect(other.local);
      await other.send("stranger", socket.local);
      await peer.send("hello", socket.local);
      await arrived(1);
      assert.deepEqual(received, [{ payload: Buffer.from("hello"), endpoint: peer.local }]);
      assert.equal(await send([Buffer.from("ans"), Buffer.from("wer")], other.local), undefined);
      const answer = await peer.receive();
      assert.deepEqual([answer.payload.toString(), answer.endpoint], ["answer", socket.local]);
      assert.equal(other.waitingCount, 0);
    });

    it("frees its port at once when it is closed", io, (t) => {
      const { socket } = openSocket(t, host);
      socket.close();
      const { port } = socket.local;
      assert.deepEqual(openSocket(t, host, port).socket.local, { host, port });
    });
  });
}

describe("DatagramSocket", () => {
  const skip = withoutIPv6;

  it("receives on every address of its family, and says that it is bound to all", io, async (t) => {
    const { socket, received, arrived } = openSocket(t, "0.0.0.0");
    assert.equal(socket.local.host, "0.0.0.0");
    const peer = await openUdpPeer(t);
    await peer.send("hello", { host: "127.0.0.1", port: socket.local.port });
    await arrived(1);
    assert.deepEqual(received[0]?.endpoint, peer.local);
  });

  it("speaks both families on ::, and calls an IPv4 address what it is", { ...io, skip }, async (t) => {
    const { socket, received, arrived, send } = openSocket(t, "::");
    const { port } = socket.local;
    assert.equal(socket.local.host, "::");
    for (const [index, { host, maxBytes }] of families.entries()) {
      const peer = await openUdpPeer(t, { host });
      await peer.send(host, { host, port });
      await arrived(index + 1);
      assert.deepEqual(received[index], { payload: Buffer.from(host), endpoint: peer.local });
      assert.equal(await send(Buffer.alloc(maxBytes), peer.local), undefined);
      const answer = await peer.receive();
      assert.deepEqual([answer.payload.length, answer.endpoint], [maxBytes, { host, port }]);
      assert.equal(codeOf(await send(Buffer.alloc(maxBytes + 1), peer.local)), "EMSGSIZE");
    }
  });

  it("on :: can be connected to an IPv4 address", { ...io, skip }, async (t) => {
    const { socket, received, arrived, send } = openSocket(t, "::");
    const [peer, other] = [await openUdpPeer(t), await openUdpPeer(t)];
    const local = { host: "127.0.0.1", port: socket.local.port };
    socket.connect(peer.local);
    await other.send("stranger", local);
    await peer.send("hello", local);
    await arrived(1);
    assert.deepEqual(received[0]?.endpoint, peer.local);
    await send(Buffer.from("answer"), peer.local);
    assert.equal((await peer.receive()).payload.toString(), "answer");
  });

  it("says that :: is in use when somebody has its port for IPv4", { ...io, skip }, async (t) => {
    const peer = await openUdpPeer(t, { host: "0.0.0.0" });
    const local = { host: "::", port: peer.local.port };
    assert.equal(bindError(local).message, `listen [::]:${local.port}: address in use`);
  });

  it("receives a burst, longer than what waits by default, whole and in order", io, async (t) => {
    const { socket, received, arrived } = openSocket(t);
    const peer = await openUdpPeer(t);
    const burst = Array.from({ length: 128 }, (_, index) => Buffer.alloc(1_200, index));
    await Promise.all(burst.map(async (datagram) => peer.send(datagram, socket.local)));
    await arrived(burst.length);
    assert.ok(received.every(({ payload }, index) => payload.equals(burst[index] ?? Buffer.alloc(0))));
  });

  it("sends a burst whole, in order, and says so of each", io, async (t) => {
    const { send } = openSocket(t);
    const peer = await openUdpPeer(t);
    const burst = Array.from({ length: 64 }, (_, index) => Buffer.alloc(1_200, index));
    const told = await Promise.all(burst.map(async (datagram) => send(datagram, peer.local)));
    assert.deepEqual(new Set(told), new Set([undefined]));
    for (const datagram of burst) assert.ok((await peer.receive()).payload.equals(datagram));
  });

  it("gives each datagram away to keep", io, async (t) => {
    const { socket, received, arrived } = openSocket(t);
    const peer = await openUdpPeer(t);
    for (const text of ["first", "other"]) await peer.send(text, socket.local);
    await arrived(2);
    received[1]?.payload.fill(0);
    assert.equal(received[0]?.payload.toString(), "first");
  });
});

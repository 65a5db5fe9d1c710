import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, it } from "node:test";
import { createPipe } from "../../src/net/pipe.js";
import { relay } from "../../src/net/relay.js";
import { RelayTally } from "../../src/net/relay-tally.js";
import { readAll } from "../helpers/bytes.js";
import { connectionKinds } from "../helpers/connections.js";
import { allClosed, assertSumsAgree, relayedSockets } from "../helpers/relayed.js";
import { closeAfter, socketPair } from "../helpers/sockets.js";
import { createTallies } from "../helpers/tally.js";
import { event, turns, withTimeout } from "../helpers/timing.js";

const io = { timeout: 20_000 };

describe("relay", () => {
  it("writes nothing to probe a stream that is not a socket", io, async (t) => {
    const [ours, peer] = createPipe();
    const chunks: number[] = [];
    const write = ours.write.bind(ours);
    t.mock.method(ours, "write", (chunk: Buffer, callback: () => void) => {
      chunks.push(chunk.length);
      return write(chunk, callback);
    });
    const remote = await socketPair(t);
    const done = relay(ours, remote.server, createTallies().sinks);
    peer.end("question");
    peer.resume();
    await readAll(remote.client);
    remote.client.end("answer");
    await withTimeout(done, 5_000, "the end of the relay");
    assert.deepEqual(chunks, [6]);
  });

  it("keeps its sums where nobody else is told of the bytes", io, async (t) => {
    const [client, remote] = [await socketPair(t), await socketPair(t)];
    const tally = new RelayTally();
    const done = relay(client.server, remote.server, { uplink: [], downlink: [], tally });
    assert.deepEqual([tally.uplinkBytes, tally.downlinkBytes], [0, 0]);
    const readings = [readAll(client.client), readAll(remote.client)];
    client.client.end(Buffer.alloc(300_001));
    remote.client.end(Buffer.alloc(200_002));
    await Promise.all([...readings, done]);
    assert.deepEqual([tally.uplinkBytes, tally.downlinkBytes], [300_001, 200_002]);
  });

  it("counts a write when it completes, and not what waits behind it", io, async () => {
    const [remote, remotePeer] = createPipe();
    const complete: (() => void)[] = [];
    const client = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, callback) => complete.push(callback),
    });
    const { up, down, sinks } = createTallies();
    const tally = new RelayTally();
    const done = relay(client, remote, { ...sinks, tally });
    for (const length of [100, 200, 300]) remotePeer.write(Buffer.alloc(length));
    await turns(10);
    assert.equal(client.writableLength, 600);
    for (const count of [100, 300, 600]) {
      complete.shift()?.();
      await turns(5);
      assert.equal(down.bytes, count);
      assertSumsAgree({ tally, up, down });
    }
    client.destroy();
    await done;
  });

  it("counts writes that complete together once", io, async () => {
    const [remote, remotePeer] = createPipe();
    const complete: (() => void)[] = [];
    const client = new Duplex({
      read: () => undefined,
      writev: (_chunks, callback) => complete.push(callback),
    });
    const { down, sinks } = createTallies();
    const done = relay(client, remote, sinks);
    for (const length of [100, 200, 300]) remotePeer.write(Buffer.alloc(length));
    await turns(10);
    for (let round = 0; round < 2; round++) {
      complete.shift()?.();
      await turns(5);
    }
    assert.deepEqual(down.steps, [100, 600]);
    client.destroy();
    await done;
  });

  it("counts no write that fails, or completes after its connection is destroyed", io, async () => {
    for (const outcome of ["fails", "completes late"] as const) {
      const [remote, remotePeer] = createPipe();
      let complete: (error?: Error) => void = () => undefined;
      const client = new Duplex({
        read: () => undefined,
        write: (_chunk, _encoding, callback) => (complete = callback),
      });
      const { up, down, sinks } = createTallies();
      const tally = new RelayTally();
      const done = relay(client, remote, { ...sinks, tally });
      remotePeer.write(Buffer.alloc(100));
      await turns(10);
      if (outcome === "completes late") client.destroy();
      complete(outcome === "fails" ? new Error("disk full") : undefined);
      await done;
      assert.equal(down.bytes, 0);
      assertSumsAgree({ tally, up, down });
    }
  });

  it("needs nobody to listen to the errors of its connections", io, async () => {
    for (const side of [0, 1]) {
      const streams = [0, 1].map(
        () =>
          new Duplex({
            read: () => undefined,
            write: (_chunk, _encoding, callback) => {
              callback();
            },
          }),
      );
      const [client, remote] = streams;
      assert.ok(client !== undefined && remote !== undefined);
      const done = relay(client, remote, createTallies().sinks);
      streams[side]?.destroy(new Error("nobody listens"));
      await done;
      assert.ok(client.destroyed && remote.destroyed);
    }
  });

  it("leaves nothing open when a TLS client's destination is reset", io, async (t) => {
    const [, connectTls] = connectionKinds[1] ?? [];
    assert.ok(connectTls !== undefined);
    const client = await connectTls(t);
    const remote = await socketPair(t);
    const done = relay(client.ours, remote.server, createTallies().sinks);
    client.peer.resume();
    remote.client.write("part of an answer");
    remote.client.resetAndDestroy();
    await withTimeout(done, 5_000, "the end of the relay");
    assert.equal(client.ours.destroyed, true);
  });

  it("has no listener to spare: a thousand relays in a row leave nothing behind", io, async (t) => {
    closeAfter(t);
    for (let round = 0; round < 1000; round++) {
      const [client, clientPeer] = createPipe();
      const [remote, remotePeer] = createPipe();
      const done = relay(client, remote, createTallies().sinks);
      clientPeer.end("x");
      remotePeer.end("y");
      clientPeer.resume();
      remotePeer.resume();
      await done;
    }
  });

  it("goes on after a socket's idle time, which is its user's business", io, async (t) => {
    const r = await relayedSockets(t, { name: "without buffers" });
    const idle = event(r.client, "timeout");
    r.client.setTimeout(10);
    await idle;
    r.clientPeer.end("question");
    assert.equal((await readAll(r.remotePeer)).toString(), "question");
    r.remotePeer.end();
    await readAll(r.clientPeer);
    await allClosed(r);
  });

  it("ends only when both sockets have closed", io, async (t) => {
    const r = await relayedSockets(t, { name: "without buffers" });
    let isDone = false;
    void r.done.then(() => (isDone = true));
    const openClient: Socket = r.clientPeer;
    r.remotePeer.end();
    await readAll(openClient);
    await turns(20);
    assert.equal(isDone, false);
    openClient.end();
    r.remotePeer.resume();
    await allClosed(r);
    assert.equal(isDone, true);
  });
});

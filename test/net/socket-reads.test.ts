import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { createPipe } from "../../src/net/pipe.js";
import { SocketReads } from "../../src/net/socket-reads.js";
import { readAll, sha256 } from "../helpers/bytes.js";
import { createRandom } from "../helpers/random.js";
import { socketPair, tlsPair } from "../helpers/sockets.js";
import { closed, event, failed, turns, until } from "../helpers/timing.js";

const io = { timeout: 10_000, skip: process.platform === "win32" };

/** Takes the reads of a socket, each into a buffer of its own. */
function taken(socket: Socket, { bufferBytes = 1_000 } = {}) {
  const chunks: Buffer[] = [];
  const lengths: number[] = [];
  let offered = Buffer.alloc(0);
  const isTaken = new SocketReads().take(socket, {
    nextBuffer: () => (offered = Buffer.alloc(bufferBytes)),
    onRead: (length, buffer) => {
      assert.equal(buffer, offered);
      lengths.push(length);
      chunks.push(offered.subarray(0, length));
    },
  });
  assert.equal(isTaken, true);
  return { lengths, bytes: () => Buffer.concat(chunks) };
}

describe("SocketReads", () => {
  for (const side of ["accepted", "dialled"] as const) {
    it(`reads from ${side} sockets into the buffers that it is given`, io, async (t) => {
      const { client, server } = await socketPair(t);
      const [ours, peer] = side === "accepted" ? [server, client] : [client, server];
      const reads = taken(ours);
      ours.resume();
      const bytes = createRandom(1).bytes(100_000);
      const ended = event(ours, "end");
      peer.end(bytes);
      await ended;
      assert.equal(sha256(reads.bytes()), sha256(bytes));
      assert.ok(Math.max(...reads.lengths) <= 1_000);
    });
  }

  it("takes over in the middle of the data, and loses none", io, async (t) => {
    const { client, server } = await socketPair(t);
    const before: Buffer[] = [];
    let bytesAfter = (): Buffer => assert.fail("nothing was taken over");
    server.on("data", (chunk: Buffer) => {
      before.push(chunk);
      if (before.length === 1) bytesAfter = taken(server).bytes;
    });
    const bytes = createRandom(2).bytes(1_000_000);
    const ended = event(server, "end");
    client.end(bytes);
    await ended;
    assert.equal(before.length, 1);
    assert.equal(sha256(Buffer.concat([...before, bytesAfter()])), sha256(bytes));
  });

  it("leaves pausing and resuming to the socket", io, async (t) => {
    const { client, server } = await socketPair(t);
    const reads = taken(server);
    server.resume();
    client.write("one");
    await until(() => reads.bytes().length === 3);
    server.pause();
    client.write("two");
    await turns(20);
    assert.equal(reads.bytes().toString(), "one");
    server.resume();
    await until(() => reads.bytes().length === 6);
    assert.equal(reads.bytes().toString(), "onetwo");
  });

  it("leaves writing to the socket, and its addresses and sums", io, async (t) => {
    const { client, server } = await socketPair(t);
    const { remotePort } = server;
    const reads = taken(server);
    server.resume();
    const answer = readAll(client);
    client.write("question");
    await until(() => reads.bytes().length === 8);
    server.end("answer");
    assert.equal((await answer).toString(), "answer");
    assert.equal(server.remotePort, remotePort);
    assert.deepEqual([server.bytesRead, server.bytesWritten], [8, 6]);
  });

  it("leaves errors to the socket", io, async (t) => {
    const { client, server } = await socketPair(t);
    taken(server);
    const failure = failed(server);
    server.resume();
    client.resetAndDestroy();
    assert.equal((await failure).code, "ECONNRESET");
    await closed(server);
  });

  it("reads nothing any more when the socket is destroyed", io, async (t) => {
    const { client, server } = await socketPair(t);
    const reads = taken(server);
    server.resume();
    client.write("late");
    server.destroy();
    await closed(server);
    await turns(20);
    assert.deepEqual(reads.lengths, []);
  });

  it("takes only what it can", io, async (t) => {
    const reads = new SocketReads();
    const { client, server } = await socketPair(t);
    server.destroy();
    const tls = await tlsPair(t);
    const [pipe] = createPipe();
    assert.equal(reads.canTake(client), true);
    for (const stream of [server, tls.client, tls.server, pipe]) {
      assert.equal(reads.canTake(stream), false);
      const taker = { nextBuffer: () => assert.fail("asked for a buffer"), onRead: () => undefined };
      assert.equal(reads.take(stream, taker), false);
    }
  });
});

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { endWith } from "../../src/net/linger.js";
import { createPipe } from "../../src/net/pipe.js";
import { readAll } from "../helpers/bytes.js";
import { socketPair } from "../helpers/sockets.js";
import { closed, event, turns, withTimeout } from "../helpers/timing.js";

const io = { timeout: 10_000 };

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}

async function bytesToRead(socket: Socket, length: number): Promise<void> {
  while (socket.readableLength < length) await event(socket, "readable");
}

describe("endWith", () => {
  it("says its last word and ends", io, async (t) => {
    const { client, server } = await socketPair(t);
    endWith(server, "goodbye");
    assert.equal((await readAll(client)).toString(), "goodbye");
    client.end();
    await closed(server);
  });

  it("gets its last word through although the other side's bytes were not read", io, async (t) => {
    for (let round = 0; round < 20; round++) {
      const { client, server } = await socketPair(t);
      client.write(Buffer.alloc(200_000));
      await bytesToRead(server, 1);
      endWith(server, Buffer.from("goodbye"));
      client.write(Buffer.alloc(200_000));
      assert.equal((await readAll(client)).toString(), "goodbye");
      client.end();
      await closed(client);
      await closed(server);
      assert.equal(server.errored, null);
    }
  });

  it("waits for the other side's end before it closes", io, async (t) => {
    const { client, server } = await socketPair(t);
    endWith(server, "goodbye");
    await readAll(client);
    client.write("not yet");
    await turns(20);
    assert.equal(server.destroyed, false);
    client.end();
    await closed(server);
  });

  it("destroys the connection when the other side does not end in time", io, async (t) => {
    const { client, server } = await socketPair(t);
    const begin = performance.now();
    endWith(server, "goodbye", 100);
    assert.equal((await readAll(client)).toString(), "goodbye");
    assert.equal(server.destroyed, false);
    await closed(server);
    assert.ok(performance.now() - begin >= 95, "it did not wait");
    assert.equal(client.destroyed, false);
  });

  it("destroys the connection when the other side reads nothing at all", io, async (t) => {
    const { server } = await socketPair(t);
    endWith(server, Buffer.alloc(32 * 1024 * 1024), 50);
    await withTimeout(closed(server), 5_000, "close");
  });

  it("says its last word on a pipe, drops what comes, and closes with the other end", io, async () => {
    const [ours, peer] = createPipe();
    peer.write("unread");
    endWith(ours, "goodbye");
    peer.write("unwanted");
    assert.equal((await readAll(peer)).toString(), "goodbye");
    await turns(20);
    assert.equal(ours.destroyed, false);
    peer.end("more of it");
    await Promise.all([closed(ours), closed(peer)]);
    assert.deepEqual([ours.errored, peer.errored], [null, null]);
  });

  it("destroys a pipe whose other end neither reads nor ends in time", io, async () => {
    const [ours, peer] = createPipe();
    endWith(ours, "goodbye", 20);
    assert.equal(ours.destroyed, false);
    await Promise.all([closed(ours), closed(peer)]);
  });

  it("waits two seconds by default", io, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { client, server } = await socketPair(t);
    endWith(server, "goodbye");
    await readAll(client);
    t.mock.timers.tick(1_999);
    assert.equal(server.destroyed, false);
    t.mock.timers.tick(1);
    assert.equal(server.destroyed, true);
    t.mock.timers.reset();
  });

  it("forgets its timer once the connection is closed", io, async (t) => {
    const { client, server } = await socketPair(t);
    const before = timers();
    endWith(server, "goodbye", 60_000);
    assert.equal(timers(), before + 1);
    client.end();
    client.resume();
    await closed(server);
    assert.equal(timers(), before);
  });

  it("does nothing to a destroyed connection", io, async (t) => {
    const { server } = await socketPair(t);
    const before = timers();
    server.destroy();
    let failures = 0;
    server.on("error", () => failures++);
    endWith(server, "goodbye", 60_000);
    await closed(server);
    endWith(server, "goodbye", 60_000);
    await turns(5);
    assert.equal(timers(), before);
    assert.equal(failures, 0);
  });
});

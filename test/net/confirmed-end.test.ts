import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { confirmEnd, isEndConfirmed } from "../../src/net/confirmed-end.js";
import { createPipe } from "../../src/net/pipe.js";
import { socketHandleOf } from "../../src/net/socket-handle.js";
import { readAll } from "../helpers/bytes.js";
import { socketPair, tlsPair } from "../helpers/sockets.js";
import { event } from "../helpers/timing.js";

const io = { timeout: 20_000, skip: process.platform === "win32" };

/** How a socket ends for those who use it, and how much they read before. */
async function endOf(socket: Socket): Promise<{ ending: string; bytes: number }> {
  return new Promise((resolve) => {
    let bytes = 0;
    socket.on("data", (chunk: Buffer) => (bytes += chunk.length));
    socket.on("end", () => {
      resolve({ ending: "end", bytes });
    });
    socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      resolve({ ending: code ?? "", bytes });
    });
  });
}

describe("confirmEnd", () => {
  for (const isHalfClosed of [false, true]) {
    const where = isHalfClosed ? "behind our own end" : "while the other direction is open";

    it(`lets an end through, ${where}`, io, async (t) => {
      for (const length of [0, 1, 65_536, 200_000]) {
        const { client, server } = await socketPair(t);
        if (isHalfClosed) {
          server.end();
          await readAll(client);
        }
        confirmEnd(server);
        assert.equal(isEndConfirmed(server), false);
        const end = endOf(server);
        client.end(Buffer.alloc(length));
        assert.deepEqual(await end, { ending: "end", bytes: length });
        assert.equal(isEndConfirmed(server), isHalfClosed);
      }
    });
  }

  it("tells a reset right behind data from an end, behind our own end", io, async (t) => {
    for (let round = 0; round < 20; round++) {
      const { client, server } = await socketPair(t);
      server.end();
      await readAll(client);
      confirmEnd(server);
      const end = endOf(server);
      client.write(Buffer.alloc(1 + round * 1_000));
      // Both lie in the kernel before either is read.
      client.resetAndDestroy();
      assert.equal((await end).ending, "ECONNRESET", `round ${round}`);
    }
  });

  it("closes the socket in order when both directions have ended", io, async (t) => {
    const { client, server } = await socketPair(t);
    confirmEnd(server);
    server.resume();
    client.resume();
    server.end("answer");
    const closes = [event(server, "close"), event(client, "close")];
    client.end("question");
    await Promise.all(closes);
    assert.deepEqual([server.errored, server.bytesRead], [null, 8]);
  });

  it("hands a stream's data on as it is", io, async (t) => {
    const { client, server } = await socketPair(t);
    confirmEnd(server);
    server.unshift("early ");
    server.push(Buffer.from("and "));
    const read = readAll(server);
    client.end("late");
    assert.equal((await read).toString(), "early and late");
  });

  it("confirms no end that lay in the stream before", io, async (t) => {
    const { client, server } = await socketPair(t);
    server.end();
    await readAll(client);
    client.end("all");
    await event(server, "readable");
    // Reads as far as the end, which stays behind the data.
    while (!Reflect.get(Reflect.get(server, "_readableState") ?? {}, "ended")) {
      await new Promise(setImmediate);
      server.read(0);
    }
    confirmEnd(server);
    assert.equal((await readAll(server)).toString(), "all");
    assert.equal(isEndConfirmed(server), false);
  });

  it("leaves alone what is no plain socket", io, async (t) => {
    const [left] = createPipe();
    const { server } = await tlsPair(t);
    for (const stream of [left, server]) {
      confirmEnd(stream);
      assert.equal(Object.hasOwn(stream, "push"), false);
    }
  });

  it("lets an end through that cannot be read again", io, async (t) => {
    const { client, server } = await socketPair(t);
    server.end();
    await readAll(client);
    confirmEnd(server);
    Object.assign(socketHandleOf(server) ?? {}, { readStart: () => -1 });
    client.end("all");
    assert.equal((await readAll(server)).toString(), "all");
    assert.equal(isEndConfirmed(server), false);
  });

  it("leaves alone what somebody else watches by a push() of his own", io, async (t) => {
    const { client, server } = await socketPair(t);
    server.end();
    await readAll(client);
    const chunks: unknown[] = [];
    const push = server.push.bind(server);
    server.push = (chunk) => {
      chunks.push(chunk);
      return push(chunk);
    };
    confirmEnd(server);
    client.end("all");
    assert.equal((await readAll(server)).toString(), "all");
    assert.deepEqual(chunks.map(String), ["all", "null"]);
    assert.equal(isEndConfirmed(server), false);
  });
});

import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { readAll } from "../helpers/bytes.js";
import { endingOf } from "../helpers/ending.js";
import { allClosed, assertAllGivenBack, relayedSockets, socketWays, stalled } from "../helpers/relayed.js";
import { closed, event, turns } from "../helpers/timing.js";

const io = { timeout: 20_000 };
const mebibyte = 1024 * 1024;

for (const way of socketWays) {
  describe(`relay of a connection that is reset, ${way.name}`, () => {
    afterEach(() => {
      assertAllGivenBack(way);
    });

    const sides = [
      ["client", "clientPeer", "remotePeer", "remote"],
      ["destination", "remotePeer", "clientPeer", "client"],
    ] as const;
    for (const [name, resetter, witness, last] of sides) {
      it(`shows the other side a reset when the ${name} is reset`, io, async (t) => {
        const r = await relayedSockets(t, way);
        const ending = endingOf(r[witness]);
        r[witness].resume();
        r[resetter].resetAndDestroy();
        assert.equal(await ending, "reset");
        await allClosed(r);
      });

      it(`shows the other side a reset when our end to the ${name} is destroyed`, io, async (t) => {
        const r = await relayedSockets(t, way);
        const ending = endingOf(r[witness]);
        r[witness].resume();
        r[last === "remote" ? "client" : "remote"].destroy();
        assert.equal(await ending, "reset");
        await allClosed(r);
      });

      it(`never shows a clean end when the ${name} is reset right behind its last bytes`, io, async (t) => {
        for (let round = 0; round < 30; round++) {
          const r = await relayedSockets(t, way);
          const ending = endingOf(r[witness]);
          let seen = 0;
          r[witness].on("data", (chunk: Buffer) => (seen += chunk.length));
          r[resetter].write(Buffer.alloc(1 + round * 1_000));
          // Both lie in the kernel before the relay sees either.
          r[resetter].resetAndDestroy();
          assert.equal(await ending, "reset", `round ${round}, after ${seen} bytes`);
          await allClosed(r);
        }
      });

      it(
        `never shows a clean end when the ${name} is reset while bytes are on their way to it`,
        io,
        async (t) => {
          for (let round = 0; round < 10; round++) {
            const r = await relayedSockets(t, way);
            const ending = endingOf(r[witness]);
            r[witness].write(Buffer.alloc(20 * mebibyte));
            await turns(10 + round * 10);
            r[witness].resume();
            r[resetter].write(Buffer.alloc(1000));
            r[resetter].resetAndDestroy();
            assert.equal(await ending, "reset", `round ${round}`);
            await allClosed(r);
          }
        },
      );

      it(`does not wait for a side that stands still when the ${name} is reset`, io, async (t) => {
        const r = await relayedSockets(t, way);
        r[resetter].write(Buffer.alloc(40 * mebibyte));
        const { up, down } = r;
        await Promise.all([stalled(up), stalled(down)]);
        assert.ok(r[last].writableLength > 0);
        const ending = endingOf(r[witness]);
        r[resetter].resetAndDestroy();
        // The relay reads no further, so only a write tells it.
        r[witness].write("x");
        await allClosed(r);
        r[witness].resume();
        assert.equal(await ending, "reset");
      });

      it(`notices by itself that the ${name} is reset while the other side stands still`, io, async (t) => {
        const r = await relayedSockets(t, way);
        r[resetter].write(Buffer.alloc(40 * mebibyte));
        const { up, down } = r;
        await Promise.all([stalled(up), stalled(down)]);
        assert.ok(r[last].writableLength > 0);
        const ending = endingOf(r[witness]);
        r[resetter].resetAndDestroy();
        // Nobody reads, writes or sends anything.
        await allClosed(r);
        r[witness].resume();
        assert.equal(await ending, "reset");
      });

      it(`notices by itself that the ${name} is reset after its end`, io, async (t) => {
        const r = await relayedSockets(t, way);
        const ended = readAll(r[witness]);
        r[resetter].end("all");
        assert.equal((await ended).toString(), "all");
        r[resetter].resetAndDestroy();
        await allClosed(r);
      });

      it(`shows the other side a reset when the ${name} is reset after its end`, io, async (t) => {
        const r = await relayedSockets(t, way);
        const ended = readAll(r[witness]);
        r[resetter].end("all");
        assert.equal((await ended).toString(), "all");
        r[resetter].resetAndDestroy();
        r[witness].on("error", () => undefined);
        // The reset is seen when something is written to it.
        while (!r[witness].destroyed) {
          r[witness].write("x");
          await turns(2);
        }
        await allClosed(r);
        assert.match((r[witness].errored as NodeJS.ErrnoException).code ?? "", /^(ECONNRESET|EPIPE)$/);
      });
    }

    it(
      "counts no more than the client received, and agrees with it to the writes in flight",
      io,
      async (t) => {
        for (let round = 0; round < 6; round++) {
          const r = await relayedSockets(t, way);
          let received = 0;
          r.clientPeer.on("data", (chunk: Buffer) => (received += chunk.length));
          r.remotePeer.write(Buffer.alloc(20 * mebibyte));
          await r.down.reached((round + 1) * mebibyte);
          r.clientPeer.pause();
          await turns(5);
          r.client.destroy();
          r.clientPeer.resume();
          await Promise.race([event(r.clientPeer, "end").catch(() => undefined), closed(r.clientPeer)]);
          await allClosed(r);
          assert.ok(r.down.bytes <= received, `${r.down.bytes} counted, ${received} received`);
          assert.ok(received - r.down.bytes <= mebibyte, `${received - r.down.bytes} not counted`);
          r.clientPeer.destroy();
          r.remotePeer.destroy();
        }
      },
    );

    it("does not take a connection for reset that was only closed for writing", io, async (t) => {
      for (let round = 0; round < 10; round++) {
        const r = await relayedSockets(t, way);
        const endings = [endingOf(r.clientPeer), endingOf(r.remotePeer)];
        r.clientPeer.resume();
        r.remotePeer.resume();
        r.clientPeer.end(Buffer.alloc(round * 50_000));
        r.remotePeer.end(Buffer.alloc(round * 50_000));
        assert.deepEqual(await Promise.all(endings), ["end", "end"]);
        await allClosed(r);
        assert.deepEqual([r.client.errored, r.remote.errored], [null, null]);
      }
    });
  });
}

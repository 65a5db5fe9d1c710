import assert from "node:assert/strict";
import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import type { Socket } from "node:net";
import { Duplex, PassThrough, Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, it, type TestContext } from "node:test";
import { connect as connectTls, TLSSocket } from "node:tls";
import { countConnection, unwrapConnection } from "../../src/net/counting-connection.js";
import { createPipe } from "../../src/net/pipe.js";
import { Counter } from "../../src/stats/counter.js";
import { readAll, readBytes, readSlowly, sha256 } from "../helpers/bytes.js";
import { connectionKinds } from "../helpers/connections.js";
import { endingOf } from "../helpers/ending.js";
import { createRandom, randomPieces } from "../helpers/random.js";
import { closeAfter, listen, socketPair } from "../helpers/sockets.js";
import { createTallies, type Tally } from "../helpers/tally.js";
import { tlsFixture } from "../helpers/tls.js";
import { closed, event, failed, turns, until } from "../helpers/timing.js";

const io = { timeout: 20_000 };
const mebibyte = 1024 * 1024;
/** One of its letters is two bytes, one three, one four. */
const text = "é€😀x";
const textBytes = Buffer.byteLength(text);

async function write(
  stream: Writable,
  chunk: Buffer | string,
  encoding: BufferEncoding = "utf8",
): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, encoding, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Waits until the count has stood still for a while: the kernel takes no more. */
async function stalled(tally: Tally): Promise<void> {
  for (let still = 0, last = -1; still < 30;) {
    await turns(3);
    still = tally.bytes === last ? still + 1 : 0;
    last = tally.bytes;
  }
}

for (const [kind, connected] of connectionKinds) {
  describe(`countConnection of a ${kind}`, () => {
    it("counts what is read from it as uplink", io, async (t) => {
      const { ours, peer } = await connected(t);
      const { up, down, sinks } = createTallies();
      const wrapper = countConnection(ours, sinks);
      const bytes = createRandom(1).bytes(3 * mebibyte + 17);
      const reading = readAll(wrapper);
      for (const piece of randomPieces(createRandom(2), bytes, 90_000)) peer.write(piece);
      peer.end();
      assert.equal(sha256(await reading), sha256(bytes));
      assert.equal(up.bytes, bytes.length);
      assert.equal(down.bytes, 0);
    });

    it("counts what is written to it as downlink", io, async (t) => {
      const { ours, peer } = await connected(t);
      const { up, down, sinks } = createTallies();
      const wrapper = countConnection(ours, sinks);
      const bytes = createRandom(3).bytes(3 * mebibyte + 17);
      const reading = readAll(peer);
      for (const piece of randomPieces(createRandom(4), bytes, 90_000)) wrapper.write(piece);
      wrapper.end();
      assert.equal(sha256(await reading), sha256(bytes));
      await down.reached(bytes.length);
      assert.equal(down.bytes, bytes.length);
      assert.equal(up.bytes, 0);
    });

    it("counts both ways at once with slow readers", io, async (t) => {
      const { ours, peer } = await connected(t);
      const { up, down, sinks } = createTallies();
      const wrapper = countConnection(ours, sinks);
      const upBytes = createRandom(5).bytes(mebibyte + 1);
      const downBytes = createRandom(6).bytes(2 * mebibyte + 3);
      const readings = [readSlowly(wrapper, 20_000), readSlowly(peer, 30_000)];
      wrapper.end(downBytes);
      peer.end(upBytes);
      assert.deepEqual((await Promise.all(readings)).map(sha256), [upBytes, downBytes].map(sha256));
      assert.equal(up.bytes, upBytes.length);
      assert.equal(down.bytes, downBytes.length);
    });

    it("tells all sinks of the same bytes", io, async (t) => {
      const { ours, peer } = await connected(t);
      const uplink = [new Counter(), new Counter(), new Counter()];
      const downlink = [new Counter(), new Counter()];
      const wrapper = countConnection(ours, { uplink, downlink });
      peer.end("12345");
      wrapper.end("123");
      await Promise.all([readAll(wrapper), readAll(peer)]);
      assert.deepEqual(
        [...uplink, ...downlink].map(({ value }) => value),
        [5n, 5n, 5n, 3n, 3n],
      );
    });

    it("counts the bytes of texts, not their letters", io, async (t) => {
      const { ours, peer } = await connected(t);
      const { down, sinks } = createTallies();
      const wrapper = countConnection(ours, sinks);
      const reading = readAll(peer);
      await write(wrapper, text);
      assert.equal(down.bytes, textBytes);
      await write(wrapper, "ff00", "hex");
      assert.equal(down.bytes, textBytes + 2);
      await write(wrapper, text, "utf16le");
      assert.equal(down.bytes, textBytes + 2 + text.length * 2);
      wrapper.end(text, "utf8");
      assert.equal((await reading).length, 2 * textBytes + 2 + text.length * 2);
      await down.reached(2 * textBytes + 2 + text.length * 2);
      assert.equal(down.bytes, 2 * textBytes + 2 + text.length * 2);
    });

    it("counts the chunk that end() is given", io, async (t) => {
      const { ours, peer } = await connected(t);
      const { down, sinks } = createTallies();
      const wrapper = countConnection(ours, sinks);
      wrapper.end(Buffer.alloc(1234));
      assert.equal((await readAll(peer)).length, 1234);
      assert.equal(down.bytes, 1234);
    });

    it("counts corked writes when they go out", io, async (t) => {
      const { ours, peer } = await connected(t);
      const { down, sinks } = createTallies();
      const wrapper = countConnection(ours, sinks);
      const pieces = randomPieces(createRandom(7), createRandom(8).bytes(700_000), 100_000);
      wrapper.cork();
      for (const piece of pieces) wrapper.write(piece);
      wrapper.write("");
      wrapper.write(text);
      await turns(5);
      assert.equal(down.bytes, 0);
      const reading = readAll(peer);
      wrapper.uncork();
      wrapper.end();
      assert.equal(sha256(await reading), sha256(Buffer.concat([...pieces, Buffer.from(text)])));
      await down.reached(700_000 + textBytes);
      assert.equal(down.bytes, 700_000 + textBytes);
      assert.ok(
        Math.max(...down.steps.map((step, index) => step - (down.steps[index - 1] ?? 0))) <= mebibyte,
      );
    });

    it("counts the same whether a decoder sits on the wrapper or beneath it", io, async (t) => {
      for (const layer of ["wrapper", "wrapped"] as const) {
        const { ours, peer } = await connected(t);
        const { up, sinks } = createTallies();
        if (layer === "wrapped") ours.setEncoding("utf8");
        const wrapper = countConnection(ours, sinks);
        wrapper.setEncoding("utf8");
        let read = "";
        wrapper.on("data", (chunk: string) => (read += chunk));
        for (const byte of Buffer.from(text.repeat(3))) {
          await write(peer, Buffer.of(byte));
          await turns(2);
        }
        peer.end();
        await event(wrapper, "end");
        assert.equal(read, text.repeat(3), layer);
        assert.equal(up.bytes, 3 * textBytes, layer);
        wrapper.destroy();
      }
    });

    it(
      "counts what was put back before it was wrapped, and not what is put back on the wrapper",
      io,
      async (t) => {
        const { ours, peer } = await connected(t);
        const { up, sinks } = createTallies();
        ours.unshift(Buffer.from("head "));
        const wrapper = countConnection(ours, sinks);
        peer.write("body");
        const first = await readBytes(wrapper, 9);
        assert.equal(first.toString(), "head body");
        assert.equal(up.bytes, 9);
        wrapper.unshift(first);
        const reading = readAll(wrapper);
        peer.end("!");
        assert.equal((await reading).toString(), "head body!");
        assert.equal(up.bytes, 10);
      },
    );

    it("reads nothing before somebody reads, and loses nothing then", io, async (t) => {
      const { ours, peer } = await connected(t);
      const { up, sinks } = createTallies();
      const wrapper = countConnection(ours, sinks);
      peer.end("early");
      await turns(20);
      assert.equal(ours.listenerCount("data"), 0);
      assert.equal(up.bytes, 0);
      assert.equal((await readAll(wrapper)).toString(), "early");
      assert.equal(up.bytes, 5);
    });

    it("reads no more than somebody takes", io, async (t) => {
      const { ours, peer } = await connected(t);
      const { up, sinks } = createTallies();
      const wrapper = countConnection(ours, sinks);
      // In pieces: a pipe hands a write on as it is.
      for (let piece = 0; piece < 128; piece++) peer.write(Buffer.alloc(65_536));
      await readBytes(wrapper, 1000);
      await stalled(up);
      assert.ok(up.bytes <= 300_000, `${up.bytes} bytes were read ahead`);
      assert.ok(wrapper.readableLength <= 300_000);
      wrapper.destroy();
    });

    it("reads a connection that was paused before", io, async (t) => {
      const { ours, peer } = await connected(t);
      const { up, sinks } = createTallies();
      ours.pause();
      peer.end("early");
      assert.equal((await readAll(countConnection(ours, sinks))).toString(), "early");
      assert.equal(up.bytes, 5);
    });

    it("holds further writes back until the connection takes them", io, async (t) => {
      const { ours, peer } = await connected(t);
      const { down, sinks } = createTallies();
      const wrapper = countConnection(ours, sinks);
      const bytes = Buffer.alloc(20 * mebibyte);
      assert.equal(wrapper.write(bytes), false);
      await stalled(down);
      assert.equal(wrapper.writableNeedDrain, true);
      assert.equal(wrapper.writableLength, bytes.length);
      // What the kernel does not take waits in the wrapper; beneath it, no more than one step does.
      assert.ok(ours.writableLength <= mebibyte);
      const drained = event(wrapper, "drain");
      peer.resume();
      await drained;
      assert.equal(down.bytes, bytes.length);
    });

    it("moves while one large write goes out, in small steps and never ahead", io, async (t) => {
      const { ours, peer } = await connected(t);
      const { down, sinks } = createTallies();
      const wrapper = countConnection(ours, sinks);
      const size = 20 * mebibyte;
      const whole = write(wrapper, Buffer.alloc(size, 1));
      whole.catch(() => undefined);
      await stalled(down);
      assert.ok(down.bytes < size, "the peer did not read, and all was counted");
      const seen: number[] = [];
      peer.on("data", () => seen.push(down.bytes));
      const reading = readAll(peer);
      wrapper.end();
      assert.equal((await reading).length, size);
      await whole;
      assert.equal(down.bytes, size);
      const between = new Set(seen.filter((count) => count > 0 && count < size));
      assert.ok(between.size >= 2, `only ${between.size} values on the way`);
      const jumps = down.steps.map((step, index) => step - (down.steps[index - 1] ?? 0));
      assert.ok(Math.max(...jumps) <= mebibyte, `a step of ${Math.max(...jumps)} bytes`);
      assert.ok(Math.min(...jumps) >= 0);
    });

    it(
      "counts no byte that the peer's kernel did not take, when it is destroyed in mid-write",
      io,
      async (t) => {
        const { ours, peer } = await connected(t);
        const { down, sinks } = createTallies();
        const wrapper = countConnection(ours, sinks);
        wrapper.write(Buffer.alloc(20 * mebibyte));
        await stalled(down);
        let received = 0;
        peer.on("data", (chunk: Buffer) => (received += chunk.length));
        peer.pause();
        wrapper.destroy();
        await closed(ours);
        const count = down.bytes;
        peer.resume();
        await Promise.race([event(peer, "end").catch(() => undefined), closed(peer)]);
        await turns(5);
        assert.equal(down.bytes, count);
        assert.ok(count <= received + peer.readableLength + tlsAllowance(ours), `${count} > ${received}`);
      },
    );

    it("counts the same in each layer when it is wrapped several times", io, async (t) => {
      const { ours, peer } = await connected(t);
      const layers = [createTallies(), createTallies(), createTallies()];
      const wrapper = layers.reduce((current, { sinks }) => countConnection(current, sinks), ours);
      const bytes = createRandom(9).bytes(2 * mebibyte);
      const readings = [readAll(wrapper), readAll(peer)];
      wrapper.end(bytes);
      peer.end(bytes.subarray(1));
      assert.deepEqual((await Promise.all(readings)).map(sha256), [bytes.subarray(1), bytes].map(sha256));
      await Promise.all(layers.map(async ({ down }) => down.reached(bytes.length)));
      for (const { up, down } of layers) {
        assert.equal(up.bytes, bytes.length - 1);
        assert.equal(down.bytes, bytes.length);
      }
    });

    it("passes the peer's end on, and still counts the late answer", io, async (t) => {
      const { ours, peer } = await connected(t);
      const { up, down, sinks } = createTallies();
      const wrapper = countConnection(ours, sinks);
      const answer = readAll(peer);
      peer.end("question");
      assert.equal((await readAll(wrapper)).toString(), "question");
      await turns(10);
      assert.equal(wrapper.destroyed, false);
      wrapper.end("late answer");
      assert.equal((await answer).toString(), "late answer");
      await closed(wrapper);
      await closed(ours);
      assert.deepEqual([up.bytes, down.bytes], [8, 11]);
      assert.equal(wrapper.errored, null);
    });

    it("passes its own end on, and still counts what comes late", io, async (t) => {
      const { ours, peer } = await connected(t);
      const { up, down, sinks } = createTallies();
      const wrapper = countConnection(ours, sinks);
      const late = readAll(wrapper);
      wrapper.end("greeting");
      assert.equal((await readAll(peer)).toString(), "greeting");
      await turns(10);
      peer.end("late question");
      assert.equal((await late).toString(), "late question");
      await closed(wrapper);
      assert.deepEqual([up.bytes, down.bytes], [13, 8]);
    });

    it("keeps what it has read readable after the connection has closed", io, async (t) => {
      const { ours, peer } = await connected(t);
      const { up, sinks } = createTallies();
      const wrapper = countConnection(ours, sinks);
      wrapper.end();
      peer.resume();
      await event(peer, "end");
      peer.end("last words");
      assert.equal((await readBytes(wrapper, 5)).toString(), "last ");
      await closed(ours);
      await turns(10);
      assert.equal(wrapper.destroyed, false);
      assert.equal((await readAll(wrapper)).toString(), "words");
      await closed(wrapper);
      assert.equal(up.bytes, 10);
    });

    it("keeps what it has read readable when the connection is destroyed after its end", io, async (t) => {
      const { ours, peer } = await connected(t);
      const wrapper = countConnection(ours, createTallies().sinks);
      peer.end("last words");
      assert.equal((await readBytes(wrapper, 5)).toString(), "last ");
      await until(() => ours.readableEnded);
      ours.destroy();
      await closed(ours);
      await turns(10);
      assert.equal(wrapper.destroyed, false);
      assert.equal((await readAll(wrapper)).toString(), "words");
      await closed(wrapper);
    });

    it(
      "can be read and ended in order when the connection had ended both ways and closed before",
      io,
      async (t) => {
        const { ours, peer } = await connected(t);
        peer.end();
        peer.resume();
        ours.end();
        await readAll(ours);
        await closed(ours);
        const wrapper = countConnection(ours, createTallies().sinks);
        assert.equal((await readAll(wrapper)).length, 0);
        await turns(10);
        assert.equal(wrapper.destroyed, false);
        const finished = event(wrapper, "finish");
        wrapper.end();
        await finished;
        await closed(wrapper);
        assert.equal(wrapper.errored, null);
      },
    );

    it("goes down with the error of what it wraps", io, async (t) => {
      const { ours } = await connected(t);
      const wrapper = countConnection(ours, createTallies().sinks);
      const failure = failed(wrapper);
      const error = new Error("cable cut");
      ours.destroy(error);
      assert.equal(await failure, error);
      await closed(wrapper);
      assert.equal(wrapper.errored, error);
    });

    it("closes without an error when what it wraps is closed so", io, async (t) => {
      const { ours } = await connected(t);
      const wrapper = countConnection(ours, createTallies().sinks);
      ours.destroy();
      await event(wrapper, "close");
      assert.equal(wrapper.errored, null);
    });

    it("needs nobody to listen to its errors", io, async (t) => {
      const { ours } = await connected(t);
      const wrapper = countConnection(ours, createTallies().sinks);
      wrapper.destroy(new Error("nobody listens"));
      await closed(ours);
      assert.equal(ours.destroyed, true);
    });

    it("fails the writes that are under way when it is destroyed", io, async (t) => {
      const { ours } = await connected(t);
      const { down, sinks } = createTallies();
      const wrapper = countConnection(ours, sinks);
      const results: unknown[] = [];
      for (let index = 0; index < 3; index++) {
        wrapper.write(Buffer.alloc(20 * mebibyte), (error) => results.push(error instanceof Error));
      }
      await stalled(down);
      wrapper.destroy(new Error("enough"));
      await closed(wrapper);
      await turns(10);
      assert.deepEqual(results.slice(-2), [true, true]);
      assert.ok(down.bytes < 20 * mebibyte);
    });

    it("closes a wrapper of what has closed already", io, async (t) => {
      for (const error of [undefined, new Error("cable cut")]) {
        const { ours } = await connected(t);
        ours.destroy(error);
        await closed(ours);
        const wrapper = countConnection(ours, createTallies().sinks);
        await closed(wrapper);
        assert.equal(wrapper.errored, error ?? null);
      }
    });

    it("ends a wrapper of what has ended already", io, async (t) => {
      const { ours, peer } = await connected(t);
      peer.end();
      await readAll(ours);
      const wrapper = countConnection(ours, createTallies().sinks);
      assert.equal((await readAll(wrapper)).length, 0);
      wrapper.end("still");
      assert.equal((await readAll(peer)).toString(), "still");
      await closed(wrapper);
    });

    it("works in a pipeline, at both ends", io, async (t) => {
      const { ours, peer } = await connected(t);
      const { up, down, sinks } = createTallies();
      const wrapper = countConnection(ours, sinks);
      const bytes = createRandom(10).bytes(mebibyte);
      const echo = pipeline(wrapper, new PassThrough(), wrapper);
      const answer = readAll(peer);
      peer.end(bytes);
      await echo;
      assert.equal(sha256(await answer), sha256(bytes));
      assert.deepEqual([up.bytes, down.bytes], [bytes.length, bytes.length]);
    });

    it("fails a pipeline when the peer is gone, and destroys what it wraps", io, async (t) => {
      const { ours, peer } = await connected(t);
      const wrapper = countConnection(ours, createTallies().sinks);
      const endless = new Readable({
        read() {
          this.push(Buffer.alloc(50_000));
        },
      });
      const piping = pipeline(endless, wrapper);
      await event(peer, "readable");
      peer.destroy();
      await assert.rejects(piping);
      await closed(ours);
      assert.equal(endless.destroyed, true);
    });

    it("can be read with for await", io, async (t) => {
      const { ours, peer } = await connected(t);
      const { up, sinks } = createTallies();
      const wrapper = countConnection(ours, sinks);
      peer.end(Buffer.alloc(300_000));
      let read = 0;
      for await (const chunk of wrapper) read += (chunk as Buffer).length;
      assert.equal(read, 300_000);
      assert.equal(up.bytes, 300_000);
    });

    it("shows no handle of Node's, so that it is read as a stream", io, async (t) => {
      const { ours } = await connected(t);
      const wrapper = countConnection(ours, createTallies().sinks);
      assert.equal(Reflect.get(wrapper, "_handle"), undefined);
      assert.equal("_handle" in wrapper, false);
    });

    it("carries TLS, from either side", io, async (t) => {
      for (const side of ["client", "server"] as const) {
        const { ours, peer } = await connected(t);
        const { up, down, sinks } = createTallies();
        const wrapper = countConnection(ours, sinks);
        const [client, server] = side === "client" ? [wrapper, peer] : [peer, wrapper];
        const tlsServer = new TLSSocket(server, { isServer: true, ...tlsFixture });
        const tlsClient = connectTls({ socket: client, ca: tlsFixture.cert, servername: "localhost" });
        closeAfter(t, tlsClient, tlsServer);
        tlsServer.on("error", () => undefined);
        await event(tlsClient, "secureConnect");
        const bytes = createRandom(11).bytes(mebibyte);
        tlsServer.write(bytes);
        assert.equal(sha256(await readBytes(tlsClient, bytes.length)), sha256(bytes));
        tlsClient.write(bytes);
        assert.equal(sha256(await readBytes(tlsServer, bytes.length)), sha256(bytes));
        await turns(10);
        assert.ok(up.bytes > bytes.length && down.bytes > bytes.length);
        assert.ok(up.bytes < bytes.length * 1.01 && down.bytes < bytes.length * 1.01);
        assert.equal(tlsClient.authorized, true);
      }
    });
  });

  describe(`unwrapConnection of a ${kind}`, () => {
    for (const layerCount of [1, 2, 3]) {
      it(`takes ${layerCount} layers off and hands over all sinks`, io, async (t) => {
        const { ours, peer } = await connected(t);
        const before = listenersOf(ours);
        const layers = Array.from({ length: layerCount }, createTallies);
        const wrapper = layers.reduce((current, { sinks }) => countConnection(current, sinks), ours);
        const { connection, uplink, downlink } = unwrapConnection(wrapper);
        assert.equal(connection, ours);
        assert.deepEqual(new Set(uplink), new Set(layers.map(({ up }) => up)));
        assert.deepEqual(new Set(downlink), new Set(layers.map(({ down }) => down)));
        assert.equal(uplink.length, layerCount);
        assert.deepEqual(listenersOf(ours), before);
        assert.equal(ours.allowHalfOpen, true);
        peer.end("question");
        assert.equal((await readAll(ours)).toString(), "question");
        assert.equal(wrapper.destroyed, false);
      });
    }

    const uses: readonly (readonly [string, (wrapper: Duplex, peer: Duplex) => unknown])[] = [
      ["read from", async (wrapper) => readBytes(wrapper, 1)],
      [
        "written to",
        async (wrapper, peer) => {
          peer.resume();
          await write(wrapper, "x");
        },
      ],
      [
        "written to while corked",
        (wrapper) => {
          wrapper.cork();
          wrapper.write("x");
        },
      ],
      [
        "given bytes back",
        (wrapper) => {
          wrapper.unshift(Buffer.from("x"));
        },
      ],
      [
        "destroyed",
        (wrapper) => {
          wrapper.destroy();
        },
      ],
    ];
    for (const [use, act] of uses) {
      it(`leaves a wrapper on that was ${use}`, io, async (t) => {
        const { ours, peer } = await connected(t);
        const { sinks } = createTallies();
        const wrapper = countConnection(ours, sinks);
        peer.write("hello");
        await act(wrapper, peer);
        assert.deepEqual(unwrapConnection(wrapper), { connection: wrapper, uplink: [], downlink: [] });
      });
    }

    it("takes only the layers off that were not used", io, async (t) => {
      const { ours, peer } = await connected(t);
      const inner = createTallies();
      const outer = createTallies();
      const used = countConnection(ours, inner.sinks);
      peer.write("hello");
      await readBytes(used, 5);
      const { connection, uplink, downlink } = unwrapConnection(countConnection(used, outer.sinks));
      assert.equal(connection, used);
      assert.deepEqual([uplink, downlink], [[outer.up], [outer.down]]);
    });

    it("returns what is not wrapped", io, async (t) => {
      const { ours } = await connected(t);
      assert.deepEqual(unwrapConnection(ours), { connection: ours, uplink: [], downlink: [] });
    });
  });
}

function listenersOf(stream: Duplex): Record<string, number> {
  return Object.fromEntries(stream.eventNames().map((name) => [String(name), stream.listenerCount(name)]));
}

/** TLS adds its records' heads to what the kernel takes: only there may less than the count arrive as payload. */
function tlsAllowance(stream: Duplex): number {
  return stream instanceof TLSSocket ? mebibyte : 0;
}

describe("countConnection of a connection that is not half-open capable", () => {
  it("sends all that was written before the peer's end", io, async (t) => {
    const { client, server } = await socketPair(t, { allowHalfOpen: false });
    const { down, sinks } = createTallies();
    const wrapper = countConnection(server, sinks);
    const bytes = createRandom(12).bytes(20 * mebibyte);
    wrapper.resume();
    wrapper.write(bytes);
    client.end("enough");
    await event(wrapper, "end");
    assert.equal(sha256(await readAll(client)), sha256(bytes));
    assert.equal(down.bytes, bytes.length);
    await closed(wrapper);
    assert.equal(wrapper.errored, null);
  });

  it("stays writable until its reader has seen the end", io, async (t) => {
    const { client, server } = await socketPair(t, { allowHalfOpen: false });
    const { sinks } = createTallies();
    const wrapper = countConnection(server, sinks);
    client.end("question");
    await event(wrapper, "readable");
    await turns(20);
    assert.deepEqual(wrapper.read(1), Buffer.from("q"));
    await turns(20);
    wrapper.write("answer");
    wrapper.resume();
    assert.equal((await readAll(client)).toString(), "answer");
    await closed(wrapper);
    assert.equal(wrapper.allowHalfOpen, false);
  });

  it("ends with its peer as the connection itself would", io, async (t) => {
    const { client, server } = await socketPair(t, { allowHalfOpen: false });
    const wrapper = countConnection(server, createTallies().sinks);
    wrapper.resume();
    client.end();
    await readAll(client);
    await closed(wrapper);
    await closed(server);
  });

  it("is as it was after it is unwrapped", io, async (t) => {
    const { client, server } = await socketPair(t, { allowHalfOpen: false });
    const wrapper = countConnection(countConnection(server, createTallies().sinks), createTallies().sinks);
    assert.equal(unwrapConnection(wrapper).connection, server);
    assert.equal(server.allowHalfOpen, false);
    server.resume();
    client.end();
    await readAll(client);
    await closed(server);
  });
});

describe("countConnection of a net.Socket that is reset", () => {
  it("fails, and has counted no more than what was taken", io, async (t) => {
    const { client, server } = await socketPair(t);
    const { down, sinks } = createTallies();
    const wrapper = countConnection(server, sinks);
    wrapper.write(Buffer.alloc(20 * mebibyte));
    await stalled(down);
    const count = down.bytes;
    const failure = failed(wrapper);
    client.resetAndDestroy();
    assert.match((await failure).code ?? "", /^(ECONNRESET|EPIPE)$/);
    await closed(wrapper);
    assert.equal(down.bytes, count);
    assert.ok(count < 20 * mebibyte);
  });

  it("is never counted further than the bytes that arrived, however early it is destroyed", io, async (t) => {
    for (let round = 0; round < 8; round++) {
      const { client, server } = await socketPair(t);
      const { down, sinks } = createTallies();
      const wrapper = countConnection(server, sinks);
      wrapper.write(Buffer.alloc(20 * mebibyte));
      await down.reached((round + 1) * 300_000);
      // Nobody has read yet, or something has: the kernel's buffers differ.
      const reading = round % 2 === 0 ? readSlowly(client, 200_000) : readAll(client);
      await turns(round);
      wrapper.destroy();
      const received = await reading;
      assert.ok(down.bytes <= received.length, `${down.bytes} > ${received.length}`);
      assert.ok(received.length - down.bytes <= 4 * mebibyte);
      client.destroy();
    }
  });

  it("resets the connection on demand", io, async (t) => {
    const { client, server } = await socketPair(t);
    const wrapper = countConnection(server, createTallies().sinks);
    client.resume();
    const ending = endingOf(client);
    assert.equal(wrapper.resetAndDestroy(), wrapper);
    assert.equal(wrapper.destroyed, true);
    assert.equal(await ending, "reset");
    await closed(wrapper);
  });

  it("destroys on demand what cannot be reset", async () => {
    const [ours, peer] = createPipe();
    const wrapper = countConnection(ours, createTallies().sinks) as unknown as Socket;
    assert.equal(wrapper.resetAndDestroy(), wrapper);
    await closed(peer);
    assert.equal(ours.destroyed, true);
  });

  it("is destroyed soon: when everything written is out", io, async (t) => {
    const { client, server } = await socketPair(t);
    const { down, sinks } = createTallies();
    const wrapper = countConnection(server, sinks);
    wrapper.write(Buffer.alloc(10 * mebibyte));
    wrapper.destroySoon();
    assert.equal(wrapper.destroyed, false);
    const reading = readAll(client);
    assert.equal((await reading).length, 10 * mebibyte);
    await closed(wrapper);
    await closed(server);
    assert.equal(down.bytes, 10 * mebibyte);
  });

  it("is destroyed soon at once when it has finished", io, async (t) => {
    const { server } = await socketPair(t);
    const wrapper = countConnection(server, createTallies().sinks);
    wrapper.end();
    await event(wrapper, "finish");
    wrapper.destroySoon();
    assert.equal(wrapper.destroyed, true);
  });
});

describe("countConnection", () => {
  for (const mode of ["readableObjectMode", "writableObjectMode", "objectMode"] as const) {
    it(`refuses a stream in ${mode}`, () => {
      const stream = new PassThrough({ [mode]: true });
      assert.throws(() => countConnection(stream, { uplink: [], downlink: [] }), {
        name: "TypeError",
        message: "cannot count the bytes of a stream in object mode",
      });
      assert.deepEqual(listenersOf(stream), listenersOf(new PassThrough({ [mode]: true })));
    });
  }

  it("counts no write that fails", async () => {
    const error = new Error("disk full");
    const { down, sinks } = createTallies();
    const inner = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, callback) => {
        callback(chunk.includes("bad") ? error : null);
      },
    });
    const wrapper = countConnection(inner, sinks);
    await write(wrapper, "good");
    await assert.rejects(write(wrapper, "bad"), error);
    assert.equal(down.bytes, 4);
    await closed(wrapper);
  });

  it("counts no write that completes after the connection is destroyed", async () => {
    const { down, sinks } = createTallies();
    let complete = (): void => undefined;
    const inner = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, callback) => {
        complete = callback;
      },
    });
    const wrapper = countConnection(inner, sinks);
    wrapper.write("in flight");
    inner.destroy();
    complete();
    await closed(wrapper);
    assert.equal(down.bytes, 0);
  });

  it("fails to end when the connection cannot", async () => {
    const error = new Error("no end");
    const inner = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, callback) => {
        callback();
      },
      final: (callback) => {
        callback(error);
      },
    });
    const wrapper = countConnection(inner, createTallies().sinks);
    const failure = failed(wrapper);
    wrapper.end();
    assert.equal(await failure, error);
    await closed(wrapper);
  });

  it("ends where the connection's own end has been sent before", async () => {
    const [ours] = createPipe();
    ours.end();
    await event(ours, "finish");
    const wrapper = countConnection(ours, createTallies().sinks);
    wrapper.end();
    await event(wrapper, "finish");
    wrapper.destroy();
  });

  it("buffers as much as what it wraps", () => {
    const inner = new PassThrough({
      readableHighWaterMark: 7,
      writableHighWaterMark: 9,
      allowHalfOpen: false,
    });
    const wrapper = countConnection(inner, createTallies().sinks);
    assert.deepEqual(
      [wrapper.readableHighWaterMark, wrapper.writableHighWaterMark, wrapper.allowHalfOpen],
      [7, 9, false],
    );
    wrapper.destroy();
  });
});

/** One raw connection to an http.Server through a wrapper. */
async function httpConnection(t: TestContext, handler: RequestListener) {
  const { client, server } = await socketPair(t);
  const tallies = createTallies();
  const wrapper = countConnection(server, tallies.sinks);
  const httpServer: Server = createHttpServer(handler);
  // Only a server that listens keeps track of its connections.
  await listen(t, httpServer);
  httpServer.emit("connection", wrapper);
  return { ...tallies, client, wrapper, httpServer };
}

describe("countConnection beneath an http.Server", () => {
  it("counts every byte of several requests on one connection", io, async (t) => {
    const { up, down, client } = await httpConnection(t, (request, response) => {
      void readAll(request).then((body) => {
        response.write(`${String(request.url)} `);
        response.write(Buffer.alloc(100_000, 0x61));
        response.end(String(body.length));
      });
    });
    const reading = readAll(client);
    const body = Buffer.alloc(300_000, 0x62);
    const requests = [
      Buffer.from("GET /one HTTP/1.1\r\nHost: a\r\n\r\n"),
      Buffer.from(`POST /two HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`),
      body,
      Buffer.from(
        "POST /three HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      ),
      Buffer.from("GET /four HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    ];
    for (const piece of requests.flatMap((request) => randomPieces(createRandom(13), request, 60_000))) {
      await write(client, piece);
    }
    const answers = await reading;
    assert.equal(answers.toString("latin1").match(/HTTP\/1\.1 200 OK/g)?.length, 4);
    assert.equal(up.bytes, Buffer.concat(requests).length);
    assert.equal(down.bytes, answers.length);
    client.end();
  });

  it("counts an upgrade, its first bytes, and all that follows", io, async (t) => {
    const { up, down, client, httpServer } = await httpConnection(t, () => undefined);
    httpServer.on("upgrade", (_request, socket: Duplex, head: Buffer) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
      socket.unshift(head);
      socket.pipe(socket);
    });
    const reading = readAll(client);
    const request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nearly bird";
    client.write(request);
    await up.reached(request.length);
    const bytes = createRandom(14).bytes(400_000);
    client.end(bytes);
    const answer = await reading;
    assert.ok(answer.includes("early bird"));
    assert.equal(sha256(answer.subarray(-bytes.length)), sha256(bytes));
    assert.equal(up.bytes, request.length + bytes.length);
    assert.equal(down.bytes, answer.length);
  });

  it("counts a CONNECT with bytes behind its head", io, async (t) => {
    const { up, down, client, httpServer } = await httpConnection(t, () => undefined);
    httpServer.on("connect", (_request, socket: Duplex, head: Buffer) => {
      socket.end(`HTTP/1.1 200 OK\r\n\r\n${head.toString()}`);
    });
    const request = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\nearly bird";
    client.write(request);
    assert.equal((await readAll(client)).toString(), "HTTP/1.1 200 OK\r\n\r\nearly bird");
    assert.equal(up.bytes, request.length);
    assert.equal(down.bytes, 29);
  });

  it(
    "counts the answer to a bad request or nothing of it, as the server destroys the connection at once",
    io,
    async (t) => {
      const { up, down, client } = await httpConnection(t, () => undefined);
      client.write("nonsense\r\n\r\n");
      const answer = await readAll(client);
      assert.ok(answer.toString().startsWith("HTTP/1.1 400 "));
      assert.equal(up.bytes, 12);
      assert.ok([0, answer.length].includes(down.bytes));
    },
  );

  it("lets the server see its client's address, and end idle connections", io, async (t) => {
    let address: string | undefined;
    const { client, wrapper, httpServer } = await httpConnection(t, (request, response) => {
      address = request.socket.remoteAddress;
      response.end("ok");
    });
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await event(client, "readable");
    assert.equal(address, "127.0.0.1");
    await turns(10);
    httpServer.closeAllConnections();
    client.resume();
    await closed(wrapper);
  });

  it("gives up a connection whose client says nothing for the server's time", io, async (t) => {
    const { client, server } = await socketPair(t);
    const wrapper = countConnection(server, createTallies().sinks);
    const httpServer = createHttpServer();
    httpServer.timeout = 30;
    httpServer.emit("connection", wrapper);
    client.resume();
    await closed(wrapper);
    assert.equal(server.destroyed, true);
  });
});

describe("countConnection beneath an http2 server", () => {
  it("counts every byte of the frames", io, async (t) => {
    const { client, server } = await socketPair(t);
    const { up, down, sinks } = createTallies();
    const http2Server = createHttp2Server((request, response) => {
      void readAll(request).then((body) => {
        response.end(body);
      });
    });
    http2Server.emit("connection", countConnection(server, sinks));
    const session = connectHttp2("http://a.test", { createConnection: () => client });
    const bytes = createRandom(15).bytes(500_000);
    const answers = await Promise.all(
      [0, 1, 2].map(async () => {
        const request = session.request({ ":method": "POST", ":path": "/" });
        request.end(bytes);
        return readAll(request);
      }),
    );
    assert.deepEqual(answers.map(sha256), [bytes, bytes, bytes].map(sha256));
    await until(() => up.bytes === server.bytesRead && down.bytes === server.bytesWritten);
    await turns(20);
    assert.equal(up.bytes, server.bytesRead);
    assert.equal(down.bytes, server.bytesWritten);
    assert.ok(up.bytes > 1_500_000 && down.bytes > 1_500_000);
    session.close();
    await event(session, "close");
  });
});

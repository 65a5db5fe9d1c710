import assert from "node:assert/strict";
import { PassThrough, type Duplex } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { ReadError, readParsed, type ParseResult } from "../../src/net/byte-reader.js";
import { createPipe } from "../../src/net/pipe.js";
import { readAll } from "../helpers/bytes.js";
import { closeAfter, socketPair, tlsPair } from "../helpers/sockets.js";
import { closed, event, turns } from "../helpers/timing.js";

const io = { timeout: 10_000 };

/** A length byte and that many letters; a first byte of 0xff is no beginning. */
function parseWord(bytes: Buffer): ParseResult<string> {
  const [length] = bytes;
  if (length === undefined) return { kind: "more" };
  if (length === 0xff) return { kind: "bad", reason: "no word begins with ff" };
  if (bytes.length < 1 + length) return { kind: "more" };
  return { kind: "done", value: bytes.toString("latin1", 1, 1 + length), length: 1 + length };
}

/** The first byte, without taking it. */
function peekByte(bytes: Buffer): ParseResult<number> {
  const [value] = bytes;
  return value === undefined ? { kind: "more" } : { kind: "done", value, length: 0 };
}

function word(text: string): Buffer {
  return Buffer.concat([Buffer.of(text.length), Buffer.from(text, "latin1")]);
}

/** Two connected streams: what is written to the first comes out of the second. */
type Connected = readonly [Duplex, Duplex];

const kinds: readonly (readonly [string, (t: TestContext) => Promise<Connected>])[] = [
  [
    "net.Socket",
    async (t) => {
      const { client, server } = await socketPair(t);
      return [client, server];
    },
  ],
  [
    "TLSSocket",
    async (t) => {
      const { client, server } = await tlsPair(t);
      return [client, server];
    },
  ],
  ["Duplex", async () => Promise.resolve(createPipe())],
  [
    "PassThrough",
    async () => {
      const both = new PassThrough({ autoDestroy: false });
      both.on("error", () => undefined);
      return Promise.resolve([both, both]);
    },
  ],
];

function listenersOf(stream: Duplex): Record<string, number> {
  return Object.fromEntries(
    ["readable", "data", "end", "close", "error", "pause", "resume"].map((name) => [
      name,
      stream.listenerCount(name),
    ]),
  );
}

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}

for (const [kind, connected] of kinds) {
  describe(`readParsed from a ${kind}`, () => {
    it("reads a value", io, async (t) => {
      const [sender, stream] = await connected(t);
      sender.write(word("hello"));
      assert.equal(await readParsed(stream, parseWord), "hello");
    });

    it("reads a value that comes in two pieces, wherever it is cut", io, async (t) => {
      const [sender, stream] = await connected(t);
      const message = word("hello");
      for (let cut = 1; cut < message.length; cut++) {
        const reading = readParsed(stream, parseWord);
        let settled = false;
        void reading.then(() => (settled = true));
        sender.write(message.subarray(0, cut));
        await turns(5);
        assert.equal(settled, false);
        sender.write(message.subarray(cut));
        assert.equal(await reading, "hello");
      }
      assert.equal(stream.readableLength, 0);
    });

    it("reads a value that comes byte by byte", io, async (t) => {
      const [sender, stream] = await connected(t);
      const reading = readParsed(stream, parseWord);
      for (const byte of word("hello")) {
        sender.write(Buffer.of(byte));
        await turns(2);
      }
      assert.equal(await reading, "hello");
    });

    it("leaves what stands behind the value to the next reader", io, async (t) => {
      const [sender, stream] = await connected(t);
      sender.end(Buffer.concat([word("one"), word(""), word("three"), Buffer.from("and the rest")]));
      assert.equal(await readParsed(stream, parseWord), "one");
      assert.equal(await readParsed(stream, parseWord), "");
      assert.equal(await readParsed(stream, parseWord), "three");
      assert.equal((await readAll(stream)).toString(), "and the rest");
    });

    it("looks without taking", io, async (t) => {
      const [sender, stream] = await connected(t);
      sender.write(word("hello"));
      assert.equal(await readParsed(stream, peekByte), 5);
      assert.equal(await readParsed(stream, peekByte), 5);
      assert.equal(await readParsed(stream, parseWord), "hello");
    });

    it("says that the stream ended inside the value", io, async (t) => {
      const [sender, stream] = await connected(t);
      sender.end(word("hello").subarray(0, 4));
      await assert.rejects(readParsed(stream, parseWord), {
        name: "ReadError",
        code: "closed",
        message: "connection closed after 4 bytes of an unfinished message",
      });
      assert.equal(stream.destroyed, false);
    });

    it("keeps the rest and the end readable when the end comes right behind the data", io, async (t) => {
      const [sender, stream] = await connected(t);
      sender.end(Buffer.concat([word("hello"), Buffer.from("rest")]));
      assert.equal(await readParsed(stream, parseWord), "hello");
      await turns(5);
      assert.equal(stream.readableEnded, false);
      assert.equal((await readAll(stream)).toString(), "rest");
      assert.equal(stream.readableEnded, true);
    });

    it("lets the end be seen when the value was all there was", io, async (t) => {
      const [sender, stream] = await connected(t);
      sender.end(word("hello"));
      assert.equal(await readParsed(stream, parseWord), "hello");
      assert.equal((await readAll(stream)).length, 0);
    });

    it("refuses what is malformed, with the parser's reason, and leaves the stream open", io, async (t) => {
      const [sender, stream] = await connected(t);
      sender.write(Buffer.of(0xff, 1, 2));
      await assert.rejects(readParsed(stream, parseWord), {
        code: "malformed",
        message: "no word begins with ff",
      });
      assert.equal(stream.destroyed, false);
      assert.equal(stream.writable, true);
    });

    it("gives up after its time, and leaves the stream open", io, async (t) => {
      const [sender, stream] = await connected(t);
      sender.write(word("hello").subarray(0, 3));
      await assert.rejects(readParsed(stream, parseWord, { timeoutMs: 20 }), {
        code: "timeout",
        message: "no complete message within 20 ms",
      });
      assert.equal(stream.destroyed, false);
      sender.write(word("next"));
      assert.equal(await readParsed(stream, parseWord), "next");
    });

    it("says that the stream closed while it waited", io, async (t) => {
      const [, stream] = await connected(t);
      const reading = readParsed(stream, parseWord);
      stream.destroy();
      await assert.rejects(reading, { code: "closed", message: /after 0 bytes/ });
    });

    it("says why the stream failed while it waited", io, async (t) => {
      const [, stream] = await connected(t);
      const reading = readParsed(stream, parseWord);
      const cause = new Error("cable cut");
      stream.destroy(cause);
      await assert.rejects(reading, { code: "closed", message: "connection failed: cable cut", cause });
    });

    it("fails at once on a destroyed stream, closed or not", io, async (t) => {
      const [, stream] = await connected(t);
      stream.destroy();
      await assert.rejects(readParsed(stream, parseWord), { code: "closed" });
      await closed(stream);
      await assert.rejects(readParsed(stream, parseWord), { code: "closed" });
    });

    it("fails at once on a stream that has ended", io, async (t) => {
      const [sender, stream] = await connected(t);
      sender.end();
      await readAll(stream);
      await assert.rejects(readParsed(stream, parseWord), { code: "closed" });
    });

    it("takes what is already in the stream's buffer", io, async (t) => {
      const [sender, stream] = await connected(t);
      sender.write("lo");
      await event(stream, "readable");
      stream.unshift(Buffer.from("\x05hel", "latin1"));
      assert.equal(await readParsed(stream, parseWord), "hello");
    });

    it("leaves no listener and no timer behind, however it goes", io, async (t) => {
      const outcomes: readonly (readonly [string, (sender: Duplex, stream: Duplex) => void, string])[] = [
        ["value", (sender) => sender.write(word("hello!")), "hello!"],
        ["malformed", (sender) => sender.write(Buffer.of(0xff)), "malformed"],
        ["timeout", () => undefined, "timeout"],
        ["end", (sender) => sender.end(), "closed"],
        ["failure", (_, stream) => stream.destroy(new Error("cut")), "closed"],
      ];
      const timersBefore = timers();
      for (const [name, act, expected] of outcomes) {
        const [sender, stream] = await connected(t);
        const before = listenersOf(stream);
        const timeoutMs = name === "timeout" ? 10 : 60_000;
        const reading = readParsed(stream, parseWord, { timeoutMs });
        act(sender, stream);
        const outcome = await reading.catch((error: unknown) =>
          error instanceof ReadError ? error.code : String(error),
        );
        assert.equal(outcome, expected);
        assert.deepEqual(listenersOf(stream), before, name);
        stream.destroy();
      }
      assert.equal(timers(), timersBefore);
    });

    it("fits a reader that comes later and listens for data", io, async (t) => {
      const [sender, stream] = await connected(t);
      sender.write(Buffer.concat([word("hello"), Buffer.from("more")]));
      assert.equal(await readParsed(stream, parseWord), "hello");
      await turns(5);
      const reading = readAll(stream);
      sender.end("and more");
      assert.equal((await reading).toString(), "moreand more");
    });
  });
}

describe("ReadError", () => {
  it("has a name, a code and a cause", () => {
    const cause = new Error("x");
    const error = new ReadError("timeout", "too late", { cause });
    assert.ok(error instanceof Error);
    assert.deepEqual(
      [error.name, error.code, error.message, error.cause],
      ["ReadError", "timeout", "too late", cause],
    );
  });
});

describe("readParsed", () => {
  it("reads from a socket that was accepted paused", io, async (t) => {
    const { client, server } = await socketPair(t, { pauseOnConnect: true });
    closeAfter(t);
    client.write(word("hello"));
    assert.equal(await readParsed(server, parseWord), "hello");
  });

  it("asks the parser only about bytes, and about all that came so far", io, async () => {
    const [sender, stream] = createPipe();
    const asked: number[] = [];
    const reading = readParsed(stream, (bytes) => {
      asked.push(bytes.length);
      return parseWord(bytes);
    });
    for (const piece of ["\x05h", "el", "lo"]) {
      sender.write(Buffer.from(piece, "latin1"));
      await turns(3);
    }
    assert.equal(await reading, "hello");
    assert.deepEqual(asked, [2, 4, 6]);
    const unfinished = readParsed(stream, (bytes) => {
      asked.push(bytes.length);
      return parseWord(bytes);
    });
    sender.end("\x05hel");
    await assert.rejects(unfinished, { code: "closed" });
    assert.deepEqual(asked, [2, 4, 6, 4]);
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { IncomingMessage } from "node:http";
import { constants } from "node:http2";
import { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { NodeRequest } from "../../src/rpc/node-http.js";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { bodyOf, collectBody, putBack, wasPutBack } from "../../src/rpc/request-body.js";
import { http1Text, openRaw, openSession, openStream, readAnswer, versions } from "../helpers/raw-http.js";
import { openRawStream } from "../helpers/raw-stream.js";
import { createRandom, randomPieces } from "../helpers/random.js";
import { closeAfter } from "../helpers/sockets.js";
import { turns, until } from "../helpers/timing.js";

interface Collected {
  /** What came of each body, in order. */
  readonly outcomes: string[];
  /** The beginnings with which the longest length was asked for. */
  readonly beginnings: string[];
}

interface StartOptions {
  readonly maxLength?: number;
  /** Whether bodies are read from the stream of HTTP/2, before a request is made of it. Default: false. */
  readonly fromStream?: boolean;
}

/** A server that collects bodies, and answers with what it has: of long ones what `bodyOf` has. */
async function start(t: TestContext, { maxLength = 10, fromStream = false }: StartOptions = {}) {
  const collected: Collected = { outcomes: [], beginnings: [] };
  const options = {
    maxLength: (beginning: Uint8Array) => {
      collected.beginnings.push(Buffer.from(beginning).toString());
      return maxLength;
    },
    isUseful: (body: Uint8Array) => Buffer.from(body).toString() !== useless,
    onBroken: () => collected.outcomes.push("broken"),
  };
  const answerSlowly = async (request: NodeRequest, answer: (text: string) => void): Promise<void> => {
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of bodyOf(request)) chunks.push(chunk);
      answer(`long ${wasPutBack(request)} ${Buffer.concat(chunks).toString()}`);
    } catch {
      collected.outcomes.push("broken later");
    }
  };
  const server = new OnePortServer({
    onRequest: (request, response) => {
      request.on("error", () => undefined);
      const answer = (text: string): void => void response.end(text);
      if (fromStream) {
        void answerSlowly(request, answer);
        return;
      }
      collectBody(request, {
        ...options,
        onWhole: (body) => response.end(`whole ${Buffer.from(body).toString()}`),
        onLong: () => {
          collected.outcomes.push("long");
          void answerSlowly(request, answer);
        },
      });
    },
    onStream: (stream, _headers, handOver) => {
      if (!fromStream) return false;
      stream.on("error", () => undefined);
      collectBody(stream, {
        ...options,
        onWhole: (body) => {
          stream.respond();
          stream.end(`whole ${Buffer.from(body).toString()}`);
        },
        onLong: () => {
          collected.outcomes.push("long");
          handOver();
        },
      });
      return true;
    },
  });
  closeAfter(t, server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return { port, collected };
}

/** Ten bytes that are of no use. */
const useless = "nonsense!!";

const ways = [
  ...versions.map((way) => ({ ...way, fromStream: false })),
  ...versions.slice(1).map((way) => ({ ...way, version: "a stream of HTTP/2", fromStream: true })),
];

describe("collectBody()", { timeout: 20_000 }, () => {
  for (const { version, send, fromStream } of ways) {
    it(`hands a body over whole that is not too long: ${version}`, async (t) => {
      const { port, collected } = await start(t, { fromStream });
      for (const text of ["", "a", "abcde", "abcdefghij"]) {
        assert.equal((await send(port, { path: "/", body: text })).body.toString(), `whole ${text}`);
      }
      assert.deepEqual(collected.outcomes, []);
    });

    it(`gives a longer one up, all of which bodyOf() has then: ${version}`, async (t) => {
      const { port, collected } = await start(t, { fromStream });
      const text = "abcdefghijk";
      assert.equal((await send(port, { path: "/", body: text })).body.toString(), `long true ${text}`);
      assert.deepEqual(collected.outcomes, ["long"]);
    });

    it(`gives one up that is far longer than what waits in memory: ${version}`, async (t) => {
      const { port } = await start(t, { fromStream, maxLength: 100_000 });
      const text = "0123456789".repeat(100_000);
      const { body } = await send(port, { path: "/", body: text });
      assert.ok(body.toString() === `long true ${text}`, `${body.length} bytes`);
    });

    it(`asks how long it may be with its beginning: ${version}`, async (t) => {
      const { port, collected } = await start(t, { fromStream });
      await send(port, { path: "/", body: "abcdefghij" });
      await send(port, { path: "/" });
      assert.deepEqual(collected.beginnings, ["abcdefghij"]);
    });
  }

  it("asks again until five bytes are there, of pieces that come one by one", async (t) => {
    const { port, collected } = await start(t, { fromStream: true });
    const stream = openStream(openSession(t, port), { path: "/" });
    for (const [index, piece] of ["a", "bc", "d", "efg", "h"].entries()) {
      stream.write(piece);
      await until(() => collected.beginnings.length > Math.min(index, 3));
      await turns(5);
    }
    stream.end();
    assert.equal((await readAnswer(stream)).body.toString(), "whole abcdefgh");
    assert.deepEqual(collected.beginnings, ["a", "abc", "abcd", "abcdefg"]);
  });

  it("goes by the last answer, and gives up as soon as the body is longer, though more is to come", async (t) => {
    const { port, collected } = await start(t, { fromStream: true, maxLength: 0 });
    const stream = openStream(openSession(t, port), { path: "/" });
    stream.write("a");
    await until(() => collected.outcomes.length > 0);
    assert.deepEqual(collected.outcomes, ["long"]);
    stream.end("bc");
    assert.equal((await readAnswer(stream)).body.toString(), "long true abc");
  });

  it("gives up what is of no use once it is as long as it may be, though its end is to come", async (t) => {
    const { port, collected } = await start(t, { fromStream: true });
    const stream = openStream(openSession(t, port), { path: "/" });
    stream.write(useless.slice(0, 7));
    await until(() => collected.beginnings.length > 0);
    assert.deepEqual(collected.outcomes, []);
    stream.write(useless.slice(7));
    await until(() => collected.outcomes.length > 0);
    assert.deepEqual(collected.outcomes, ["long"]);
    stream.end();
    assert.equal((await readAnswer(stream)).body.toString(), `long true ${useless}`);
  });

  for (const isCollected of [true, false]) {
    const how = isCollected ? "it has collected and gives up" : "nobody has begun to read";
    it(`keeps no more of what came with the pieces of a body than these: one that ${how}`, async (t) => {
      const socket = new Socket();
      closeAfter(t, socket);
      const request = new IncomingMessage(socket);
      const give = (text: string): void => {
        const read = Buffer.alloc(65_536);
        read.write(text);
        request.push(read.subarray(0, text.length));
      };
      if (isCollected) {
        const whenLong = new Promise<void>((resolve) => {
          const never = (): void => assert.fail("it has not ended");
          const ends = { onLong: resolve, onWhole: never, onBroken: never };
          collectBody(request, { maxLength: () => 4, isUseful: () => true, ...ends });
        });
        for (const text of ["a", "bc", "de"]) give(text);
        await whenLong;
        for (const text of ["f", "g"]) give(text);
      } else {
        for (const text of ["a", "bc", "de", "f", "g"]) give(text);
      }
      request.push(null);
      const chunks: Uint8Array[] = [];
      for await (const chunk of bodyOf(request)) chunks.push(chunk);
      assert.equal(Buffer.concat(chunks).toString(), "abcdefg");
      assert.ok(chunks.every(({ buffer, length }) => buffer.byteLength <= 4 * length));
    });
  }

  it("joins what comes in any pieces", async (t) => {
    const random = createRandom(7);
    const { port } = await start(t, { fromStream: true, maxLength: 5_000 });
    const session = openSession(t, port);
    for (let round = 0; round < 20; round++) {
      const text = random
        .bytes(1 + random.below(3_000))
        .toString("hex")
        .slice(0, 5_000);
      const stream = openStream(session, { path: "/" });
      for (const piece of randomPieces(random, Buffer.from(text), 700)) {
        stream.write(piece);
        await turns(random.below(3));
      }
      stream.end();
      assert.equal((await readAnswer(stream)).body.toString(), `whole ${text}`);
    }
  });

  it("says once that a body broke off: HTTP/1.1", async (t) => {
    const { port, collected } = await start(t);
    const { socket } = await openRaw(t, port, http1Text({ path: "/", body: "abc" }).slice(0, -1));
    await until(() => collected.beginnings.length > 0);
    socket.resetAndDestroy();
    await until(() => collected.outcomes.length > 0);
    await turns(10);
    assert.deepEqual(collected.outcomes, ["broken"]);
  });

  for (const fromStream of [false, true]) {
    for (const [name, code] of Object.entries({
      NO_ERROR: constants.NGHTTP2_NO_ERROR,
      CANCEL: constants.NGHTTP2_CANCEL,
      PROTOCOL_ERROR: constants.NGHTTP2_PROTOCOL_ERROR,
    })) {
      it(`says once that a body was reset: ${name}, ${fromStream ? "a stream of HTTP/2" : "HTTP/2"}`, async (t) => {
        const { port, collected } = await start(t, { fromStream });
        const { reset } = await openRawStream(t, port, { path: "/", body: "abc" });
        assert.deepEqual(collected.beginnings, ["abc"]);
        await reset(code);
        await until(() => collected.outcomes.length > 0);
        await turns(10);
        assert.deepEqual(collected.outcomes, ["broken"]);
      });
    }
  }

  it("says nothing more of a body that it gave up", async (t) => {
    const { port, collected } = await start(t, { fromStream: true, maxLength: 2 });
    const { reset } = await openRawStream(t, port, { path: "/", body: "abc" });
    assert.deepEqual(collected.outcomes, ["long"]);
    await reset(constants.NGHTTP2_CANCEL);
    await until(() => collected.outcomes.length > 1);
    await turns(10);
    assert.deepEqual(collected.outcomes, ["long", "broken later"]);
  });
});

describe("bodyOf()", { timeout: 20_000 }, () => {
  for (const { version, send } of versions) {
    it(`is the body of a request that nobody has begun to read: ${version}`, async (t) => {
      const server = new OnePortServer({
        onRequest: (request, response) => {
          void (async () => {
            const chunks: Uint8Array[] = [];
            for await (const chunk of bodyOf(request)) chunks.push(chunk);
            response.end(`${wasPutBack(request)} ${Buffer.concat(chunks).toString()}`);
          })();
        },
      });
      closeAfter(t, server);
      const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
      for (const text of ["", "abc", "x".repeat(300_000)]) {
        assert.equal((await send(port, { path: "/", body: text })).body.toString(), `false ${text}`);
      }
    });

    it(`begins with what was put back, of a request that was read to its end: ${version}`, async (t) => {
      const server = new OnePortServer({
        onRequest: (request, response) => {
          void (async () => {
            request.resume();
            await once(request, "end");
            putBack(request, [Buffer.from("ab"), Buffer.from("c")]);
            const chunks: string[] = [];
            for await (const chunk of bodyOf(request)) chunks.push(Buffer.from(chunk).toString());
            response.end(`${wasPutBack(request)} ${chunks.join("|")}`);
          })();
        },
      });
      closeAfter(t, server);
      const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
      assert.equal((await send(port, { path: "/", body: "lost" })).body.toString(), "true ab|c");
    });

    it(`leaves the connection to the answer when it is not read to its end: ${version}`, async (t) => {
      const server = new OnePortServer({
        onRequest: (request, response) => {
          void (async () => {
            for await (const chunk of bodyOf(request)) {
              response.end(`enough after ${chunk.length > 0}`);
              break;
            }
          })();
        },
      });
      closeAfter(t, server);
      const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
      const { body } = await send(port, { path: "/", body: "x".repeat(300_000) });
      assert.equal(body.toString(), "enough after true");
    });
  }
});

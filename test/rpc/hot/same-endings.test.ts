import assert from "node:assert/strict";
import { once } from "node:events";
import { constants } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { count, paths } from "../../helpers/api-server.js";
import { startBothWays, type ServedWay } from "../../helpers/both-ways.js";
import { seenIn } from "../../helpers/exchange.js";
import { eventually } from "../../helpers/eventually.js";
import { getStatsRequest, queryStatsRequest } from "../../helpers/grpc.js";
import { messagesIn } from "../../helpers/http-messages.js";
import {
  http1Text,
  openRaw,
  openSession,
  openStream,
  readAnswer,
  type HttpRequest,
} from "../../helpers/raw-http.js";
import { openRawStream } from "../../helpers/raw-stream.js";
import { alice, connect, grpc, grpcWeb, protocols, type BinaryProtocol } from "../../helpers/same-answers.js";
import { closed, turns } from "../../helpers/timing.js";

const path = paths.getStats;
const get = getStatsRequest({ name: alice, reset: true });

function requestOf({ headers, wrap }: BinaryProtocol): HttpRequest & { readonly body: Uint8Array } {
  return { path, headers, body: wrap(get) };
}

/** Does the same with both servers, and compares what comes of it: what is returned, and what is left behind. */
async function assertSameDone(
  t: TestContext,
  act: (way: ServedWay) => Promise<unknown>,
  expected: { readonly value: bigint },
): Promise<void> {
  const { hot, routed } = await startBothWays(t, { fill: (store) => void count(store, alice, 100) });
  const [done, doneSlowly] = await Promise.all([act(hot), act(routed)]);
  assert.deepEqual(done, doneSlowly);
  await Promise.all([hot, routed].map(async ({ server }) => server.stop(new AbortController().signal)));
  await turns(5);
  await eventually(() => {
    assert.deepEqual(hot.traces(), routed.traces());
  });
  assert.equal(hot.store.get(alice)?.value, expected.value);
}

describe("a caller who leaves", { timeout: 30_000 }, () => {
  for (const protocol of protocols) {
    const request = requestOf(protocol);
    const half = request.body.subarray(0, 8);

    for (const leave of ["end", "destroy", "resetAndDestroy"] as const) {
      it(`is the same on both ways before the body: ${leave}(), ${protocol.protocol} over HTTP/1.1`, async (t) => {
        await assertSameDone(
          t,
          async ({ port }) => {
            const { socket } = await openRaw(
              t,
              port,
              http1Text({ ...request }).slice(0, -request.body.length),
            );
            await turns(5);
            socket[leave]();
            await closed(socket);
          },
          { value: 100n },
        );
      });

      it(`is the same on both ways within the body: ${leave}(), ${protocol.protocol} over HTTP/1.1`, async (t) => {
        await assertSameDone(
          t,
          async ({ port }) => {
            const raw = await openRaw(t, port, Buffer.from(http1Text(request).slice(0, -1), "latin1"));
            await turns(5);
            raw.socket[leave]();
            return messagesIn(await raw.closed()).map(seenIn);
          },
          { value: 100n },
        );
      });
    }

    // A client of Node's that closes a stream without a reason ends it first: with the whole body, that was a call.
    for (const [name, code] of Object.entries({
      NO_ERROR: constants.NGHTTP2_NO_ERROR,
      CANCEL: constants.NGHTTP2_CANCEL,
      PROTOCOL_ERROR: constants.NGHTTP2_PROTOCOL_ERROR,
    })) {
      for (const { when, sent } of [
        { when: "before the body", sent: Buffer.alloc(0) },
        { when: "within the body", sent: half },
        { when: "before the end of the body", sent: request.body },
      ].filter(({ sent }) => sent !== request.body || code !== constants.NGHTTP2_NO_ERROR)) {
        it(`is the same on both ways ${when}: ${name}, ${protocol.protocol} over HTTP/2`, async (t) => {
          await assertSameDone(
            t,
            async ({ port }) => {
              const session = openSession(t, port);
              const stream = openStream(session, request);
              if (sent.length > 0) stream.write(sent);
              else await once(stream, "ready");
              await turns(5);
              stream.close(code);
              await closed(stream);
              session.close();
            },
            { value: 100n },
          );
        });
      }
    }

    it(`is the same on both ways when the whole connection goes within the body: ${protocol.protocol}`, async (t) => {
      await assertSameDone(
        t,
        async ({ port }) => {
          const session = openSession(t, port);
          const stream = openStream(session, request);
          stream.on("error", () => undefined);
          stream.write(half);
          await turns(5);
          session.destroy();
          await closed(stream);
        },
        { value: 100n },
      );
    });
  }
});

describe("a stream that is reset before its end", { timeout: 30_000 }, () => {
  const calls = protocols.flatMap((protocol) =>
    [
      { call: "GetStats", path, message: get },
      { call: "QueryStats", path: paths.queryStats, message: queryStatsRequest({ reset: true }) },
      { call: "GetSysStats", path: paths.getSysStats, message: Buffer.alloc(0) },
    ].map(({ message, ...request }) => ({ ...protocol, ...request, body: protocol.wrap(message) })),
  );
  for (const { protocol, call, body, headers, ...request } of calls) {
    for (const [name, code] of Object.entries({
      NO_ERROR: constants.NGHTTP2_NO_ERROR,
      CANCEL: constants.NGHTTP2_CANCEL,
      PROTOCOL_ERROR: constants.NGHTTP2_PROTOCOL_ERROR,
      "no code, as its connection is": undefined,
    })) {
      for (const { when, sent } of [
        { when: "before the body", sent: body.subarray(0, 0) },
        { when: "within the body", sent: body.subarray(0, Math.floor(body.length / 2)) },
        { when: "behind the body", sent: body },
      ]) {
        it(`is the same on both ways ${when}: ${name}, ${call} by ${protocol}`, async (t) => {
          await assertSameDone(
            t,
            async ({ port }) => {
              const { connection, reset } = await openRawStream(t, port, { ...request, headers, body: sent });
              if (code === undefined) connection.socket.resetAndDestroy();
              else await reset(code);
              connection.socket.end();
              await connection.closed();
            },
            { value: 100n },
          );
        });
      }
    }
  }
});

describe("a caller who says no more", { timeout: 30_000 }, () => {
  for (const protocol of [grpcWeb, connect]) {
    it(`is answered on both ways: ${protocol.protocol} over HTTP/1.1`, async (t) => {
      await assertSameDone(
        t,
        async ({ port }) => {
          const raw = await openRaw(t, port);
          raw.socket.end(Buffer.from(http1Text(requestOf(protocol)), "latin1"));
          return messagesIn(await raw.closed()).map(seenIn);
        },
        { value: 0n },
      );
    });
  }
});

describe("a body that comes byte by byte", { timeout: 30_000 }, () => {
  for (const protocol of protocols) {
    it(`is read on both ways: ${protocol.protocol} over HTTP/2`, async (t) => {
      await assertSameDone(
        t,
        async ({ port }) => {
          const stream = openStream(openSession(t, port), requestOf(protocol));
          for (const byte of requestOf(protocol).body) {
            stream.write(Buffer.from([byte]));
            await turns(2);
          }
          stream.end();
          const { status, body, trailers } = await readAnswer(stream);
          return { status, body, trailers };
        },
        { value: 0n },
      );
    });

    it(`is waited for on both ways, and answered with its end: ${protocol.protocol} over HTTP/2`, async (t) => {
      await assertSameDone(
        t,
        async (way) => {
          const stream = openStream(openSession(t, way.port), requestOf(protocol));
          stream.write(requestOf(protocol).body);
          await turns(20);
          const before = way.store.get(alice)?.value;
          stream.end();
          const { status, body, trailers } = await readAnswer(stream);
          return { before, status, body, trailers };
        },
        { value: 0n },
      );
    });
  }
});

describe("a caller who asks whether to go on", { timeout: 30_000 }, () => {
  for (const protocol of protocols) {
    it(`is told so on both ways: ${protocol.protocol} over HTTP/2`, async (t) => {
      await assertSameDone(
        t,
        async ({ port }) => {
          const { body, headers, ...request } = requestOf(protocol);
          const stream = openStream(openSession(t, port), {
            ...request,
            headers: { ...headers, expect: "100-continue" },
          });
          await once(stream, "continue");
          stream.end(body);
          const answer = await readAnswer(stream);
          return { status: answer.status, body: answer.body, trailers: answer.trailers };
        },
        { value: 0n },
      );
    });

    it(`is told so on both ways: ${protocol.protocol} over HTTP/1.1`, async (t) => {
      await assertSameDone(
        t,
        async ({ port }) => {
          const { headers, body, ...request } = requestOf(protocol);
          const text = http1Text({ ...request, body, headers: { ...headers, expect: "100-continue" } });
          const raw = await openRaw(t, port, text.slice(0, text.indexOf("\r\n\r\n") + 4));
          await raw.received("HTTP/1.1 100 Continue");
          raw.send(body);
          await raw.received("HTTP/1.1 200 OK");
          raw.socket.end();
          return messagesIn(await raw.closed()).map(seenIn);
        },
        { value: 0n },
      );
    });
  }
});

describe("a body that ends with trailers", { timeout: 30_000 }, () => {
  for (const protocol of protocols) {
    it(`is answered on both ways: ${protocol.protocol} over HTTP/2`, async (t) => {
      await assertSameDone(
        t,
        async ({ port }) => {
          const { body, headers = {} } = requestOf(protocol);
          const session = openSession(t, port);
          const stream = session.request(
            { ":method": "POST", ":path": path, ...headers },
            { endStream: false, waitForTrailers: true },
          );
          stream.on("wantTrailers", () => {
            stream.sendTrailers({ "x-own": "behind" });
          });
          stream.end(body);
          const answer = await readAnswer(stream);
          return { status: answer.status, body: answer.body, trailers: answer.trailers };
        },
        { value: 0n },
      );
    });
  }
});

describe("many calls at once", { timeout: 30_000 }, () => {
  it("are answered alike on one HTTP/2 connection, each once", async (t) => {
    await assertSameDone(
      t,
      async ({ port }) => {
        const session = openSession(t, port);
        const answers = await Promise.all(
          Array.from({ length: 60 }, async (_, index) => {
            const { headers, wrap } = protocols[index % protocols.length] ?? grpc;
            const isQuery = index % 2 === 0;
            const stream = openStream(session, { path: isQuery ? paths.queryStats : path, headers });
            stream.end(wrap(isQuery ? queryStatsRequest({}) : getStatsRequest({ name: alice })));
            const { status, body, trailers } = await readAnswer(stream);
            return { status, body, trailers };
          }),
        );
        session.close();
        return answers;
      },
      { value: 100n },
    );
  });

  it("are answered alike and in order when they are pipelined over HTTP/1.1", async (t) => {
    await assertSameDone(
      t,
      async ({ port }) => {
        const { headers } = connect;
        const texts = ["alice", "bob", "carol", "alice"].map((name) =>
          http1Text({ path, headers, body: getStatsRequest({ name: `user>>>${name}>>>traffic>>>uplink` }) }),
        );
        const raw = await openRaw(t, port, Buffer.from(texts.join(""), "latin1"));
        await raw.received("HTTP/1.1 ", texts.length);
        raw.socket.end();
        return messagesIn(await raw.closed()).map(seenIn);
      },
      { value: 100n },
    );
  });
});

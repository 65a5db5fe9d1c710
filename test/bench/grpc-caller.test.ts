import assert from "node:assert/strict";
import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { buffer } from "node:stream/consumers";
import type { Endpoint } from "../../src/net/endpoint.js";
import { addressOf, closeAfter } from "../helpers/sockets.js";
import { carryOutCalls, openIdleCallers } from "./call-load.js";
import { createCallResponder } from "./call-responder.js";
import { GrpcCaller, type Call } from "./grpc-caller.js";

const call: Call = { path: "/a.Service/Call", message: Buffer.from("message").toString("base64") };
const envelope = Buffer.concat([Buffer.of(0, 0, 0, 0, 7), Buffer.from("message")]);
const io = { timeout: 10_000 };

type Answer = (stream: ServerHttp2Stream) => void;

const answerWell: Answer = (stream) => {
  stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => {
    stream.sendTrailers({ "grpc-status": "0" });
  });
  stream.end(Buffer.alloc(100_000));
};

/** Node's own server of HTTP/2, which says what it was asked. */
async function startServer(t: TestContext, answer: Answer) {
  const requests: { headers: IncomingHttpHeaders; body: string }[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on("session", (session) => {
    sessions.add(session);
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    void buffer(stream).then((body) => {
      requests.push({ headers, body: body.toString("hex") });
      answer(stream);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closeAfter(t, {
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, "close");
    },
  });
  const api: Endpoint = { host: "127.0.0.1", port: addressOf(server).port };
  return { api, requests, sessions };
}

describe("carryOutCalls()", () => {
  for (const [connections, streams] of [
    [1, 1],
    [1, 64],
    [3, 2],
  ] as const) {
    it(`makes so many calls, all alike, over ${connections} × ${streams}`, io, async (t) => {
      const { api, requests, sessions } = await startServer(t, answerWell);
      await carryOutCalls({ kind: "calls", ...call, count: 200, connections, streams }, api);
      assert.equal(requests.length, 200);
      assert.equal(sessions.size, connections);
      for (const { headers, body } of requests) {
        assert.equal(body, envelope.toString("hex"));
        assert.deepEqual(Object.fromEntries(Object.entries(headers)), {
          ...{ ":method": "POST", ":scheme": "http", ":path": call.path },
          ":authority": `127.0.0.1:${api.port}`,
          ...{ "content-type": "application/grpc", "user-agent": "bench", te: "trailers" },
        });
      }
    });
  }

  const failures: readonly (readonly [what: string, answer: Answer])[] = [
    [
      "is refused",
      (stream) => {
        stream.respond({ "content-type": "application/grpc", "grpc-status": "5" }, { endStream: true });
      },
    ],
    [
      "is reset",
      (stream) => {
        stream.close(2);
      },
    ],
    [
      "ends with its connection",
      (stream) => {
        stream.session?.destroy();
      },
    ],
  ];
  for (const [what, answer] of failures) {
    it(`fails when a call ${what}`, io, async (t) => {
      const { api } = await startServer(t, answer);
      const load = { kind: "calls", ...call, count: 5, connections: 1, streams: 1 } as const;
      await assert.rejects(carryOutCalls(load, api), /refused|a frame [37]|closed|ECONNRESET/);
    });
  }

  it("has a responder to show what it can do", io, async (t) => {
    const server = createCallResponder();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closeAfter(t, { [Symbol.asyncDispose]: async () => Promise.resolve(void server.close()) });
    const api = { host: "127.0.0.1", port: addressOf(server).port };
    await carryOutCalls({ kind: "calls", ...call, count: 500, connections: 4, streams: 16 }, api);
    assert.ok(server.listening);
  });
});

describe("openIdleCallers()", () => {
  it("opens connections that are answered once, and stay", io, async (t) => {
    const { api, requests, sessions } = await startServer(t, answerWell);
    const callers = await openIdleCallers({ kind: "idle-calls", ...call, count: 5 }, api);
    assert.equal(requests.length, 5);
    assert.equal(sessions.size, 5);
    for (const caller of callers) caller.close();
  });
});

describe("GrpcCaller", () => {
  it(
    "tells how many bytes came back, message after message, beyond the window of a connection",
    io,
    async (t) => {
      const { api } = await startServer(t, answerWell);
      const lengths = await new Promise<readonly number[]>((resolve, reject) => {
        GrpcCaller.open(api, call, reject).then((caller) => {
          const seen: number[] = [];
          const next = (): void => {
            caller.call((answerBytes) => {
              seen.push(answerBytes);
              if (seen.length < 10) {
                next();
                return;
              }
              caller.close();
              resolve(seen);
            });
          };
          next();
        }, reject);
      });
      assert.deepEqual(
        lengths,
        Array.from({ length: 10 }, () => 100_000),
      );
    },
  );
});

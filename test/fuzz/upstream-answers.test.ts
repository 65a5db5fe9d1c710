import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import { DialError } from "../../src/net/dial-error.js";
import { HttpOutbound } from "../../src/proxy/http/http-outbound.js";
import type { DialingOutbound, OutboundConnection } from "../../src/proxy/outbound.js";
import { SocksOutbound } from "../../src/proxy/socks/socks-outbound.js";
import { readAll } from "../helpers/bytes.js";
import { listen } from "../helpers/sockets.js";
import { socks5Reply } from "../helpers/socks5-upstream.js";
import { closed, turns } from "../helpers/timing.js";
import { anyBytes, cutAt, cuts, mutated, toText } from "./byte-text.js";
import { leavesNoSocket } from "./conversation.js";
import { fuzz, fuzzLimits } from "./fuzz.js";

const destination = { host: "a.test", port: 443 };
const login = { username: "alice", password: "secret" };
/** For the proxies that say nothing more: all others answer sooner, however slow the machine. */
const patienceMs = 30;

/** What an upstream proxy does with a connection, whatever it is asked. */
interface Answer {
  readonly pieces: readonly Uint8Array[];
  /** What it does then. */
  readonly ending: "end" | "reset" | "wait";
}

/** A proxy that answers as a test says, one connection after the other. */
interface Upstream {
  readonly port: number;
  answer: Answer;
}

async function startUpstream(t: TestContext): Promise<Upstream> {
  const upstream = { port: 0, answer: { pieces: [], ending: "end" } as Answer };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    void play(client, upstream.answer);
  });
  upstream.port = (await listen(t, server)).port;
  return upstream;
}

/** Never rejects: clients may leave at any time. */
async function play(client: Socket, { pieces, ending }: Answer): Promise<void> {
  client.on("error", () => client.destroy());
  client.on("end", () => client.end());
  client.resume();
  for (const piece of pieces) {
    if (client.writable) client.write(piece);
    await turns(2);
  }
  if (ending === "reset") client.resetAndDestroy();
  else if (ending === "end" && client.writable) client.end();
}

const types = ["socks", "socks with a login", "http", "http with a login"] as const;
type UpstreamType = (typeof types)[number];

function createOutbound(type: UpstreamType, port: number, connectTimeoutMs?: number): DialingOutbound {
  const options = {
    ...{ tag: "out", server: { host: "127.0.0.1", port } },
    ...(type.endsWith("login") && { login }),
    ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
  };
  return type.startsWith("socks") ? new SocksOutbound(options) : new HttpOutbound(options);
}

/** Ways to say yes. */
const bound = fc.record({
  host: fc.oneof(fc.ipV4(), fc.constant("2001:db8::1"), fc.stringMatching(/^[a-z][a-z0-9.-]{0,80}$/)),
  port: fc.nat(65_535),
});
const httpYes = fc.constantFrom(
  "HTTP/1.1 200 Connection established\r\n\r\n",
  "HTTP/1.0 200 OK\r\nVia: x\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
);
const yesOf: Readonly<Record<UpstreamType, fc.Arbitrary<string>>> = {
  socks: bound.map((boundTo) => toText(Buffer.concat([Buffer.of(5, 0), socks5Reply(0, boundTo)]))),
  "socks with a login": bound.map((boundTo) =>
    toText(Buffer.concat([Buffer.of(5, 2, 1, 0), socks5Reply(0, boundTo)])),
  ),
  http: httpYes,
  "http with a login": httpYes,
};
const conversation = fc
  .constantFrom(...types)
  .chain((type) => fc.record({ type: fc.constant(type), yes: yesOf[type], payload: anyBytes(200) }));
const refusals = fc.constantFrom(
  "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
  "HTTP/1.1 407 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
  "\u0005\u0000\u0005\u0005\u0000\u0001\u0000\u0000\u0000\u0000\u0000\u0000",
  "\u0005\u00ff",
  "\u0005\u0002\u0001\u0001",
);

/** Reads a connection to whatever end it has. */
async function exhaust({ connection }: OutboundConnection): Promise<void> {
  connection.on("end", () => connection.destroy());
  connection.resume();
  await closed(connection);
}

describe("an outbound through a proxy", () => {
  it("comes to an end with whatever the proxy answers", fuzzLimits, async (t) => {
    const upstream = await startUpstream(t);
    await fuzz({
      name: "upstream-anything",
      inputs: fc.record({
        type: fc.constantFrom(...types),
        answer: fc.oneof(
          { arbitrary: anyBytes(), weight: 1 },
          { arbitrary: mutated(refusals), weight: 1 },
          { arbitrary: mutated(conversation.map(({ yes, payload }) => yes + payload)), weight: 3 },
        ),
        cuts,
        ending: fc.constantFrom(
          "end" as const,
          "end" as const,
          "end" as const,
          "reset" as const,
          "wait" as const,
        ),
      }),
      holds: async ({ type, answer, cuts: offsets, ending }) => {
        upstream.answer = { pieces: cutAt(answer, offsets), ending };
        const outbound = createOutbound(type, upstream.port, ending === "wait" ? patienceMs : 5_000);
        await leavesNoSocket(async () => {
          const outcome: unknown = await outbound.dial(destination).catch((error: unknown) => error);
          if (outcome instanceof Error) {
            assert.ok(outcome instanceof DialError, String(outcome.stack));
            assert.match(outcome.message, /^connect to a\.test:443 through .*127\.0\.0\.1:\d+: /);
            assert.notEqual(outcome.code, "aborted");
          } else if (ending === "wait") {
            (outcome as OutboundConnection).connection.destroy();
          } else {
            await exhaust(outcome as OutboundConnection);
          }
        });
      },
    });
  });

  it("leaves the payload behind a yes to be read, however the two are cut", fuzzLimits, async (t) => {
    const upstream = await startUpstream(t);
    await fuzz({
      name: "upstream-early-payload",
      inputs: fc.record({ conversation, cuts }),
      holds: async ({ conversation: { type, yes, payload }, cuts: offsets }) => {
        upstream.answer = { pieces: cutAt(yes + payload, offsets), ending: "end" };
        await leavesNoSocket(async () => {
          const { connection } = await createOutbound(type, upstream.port).dial(destination);
          assert.equal(toText(await readAll(connection)), payload);
          connection.end();
          await closed(connection);
        });
      },
    });
  });
});

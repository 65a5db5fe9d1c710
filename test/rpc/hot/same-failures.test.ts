import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { GetStatsRequestSchema, StatSchema } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { paths } from "../../helpers/api-server.js";
import { startBothWays, type ServedWay } from "../../helpers/both-ways.js";
import { exchangeHttp1, exchangeHttp2 } from "../../helpers/exchange.js";
import { envelopesOf, getStatsRequest } from "../../helpers/grpc.js";
import { openSession, readAnswer, sendHttp2 } from "../../helpers/raw-http.js";
import { turns } from "../../helpers/timing.js";
import {
  alice,
  connect,
  describeSame,
  grpcWeb,
  protocols,
  type SameCase,
} from "../../helpers/same-answers.js";

const body = getStatsRequest({ name: alice });
const detail = create(GetStatsRequestSchema, { name: "ünïcödé", reset: true });

function withDetails(error: ConnectError): ConnectError {
  error.details.push({ desc: GetStatsRequestSchema, value: detail });
  error.details.push({ desc: StatSchema, value: create(StatSchema, { name: "a", value: 2n ** 60n }) });
  return error;
}

const failures: readonly { readonly what: string; readonly thrown: () => unknown }[] = [
  ...Object.values(Code)
    .filter((code) => typeof code !== "string")
    .map((code) => ({ what: `code ${code}`, thrown: () => new ConnectError("said so", code) })),
  { what: "no message", thrown: () => new ConnectError("", Code.NotFound) },
  { what: "a message in other letters", thrown: () => new ConnectError(" ünï 🦆\r\n%20 ", Code.NotFound) },
  { what: "a long message", thrown: () => new ConnectError("x%".repeat(3_000), Code.Internal) },
  {
    what: "metadata",
    thrown: () =>
      new ConnectError("m", Code.Aborted, { "x-own": "a, b", "x-own-bin": "AAEC", "X-Upper": "c" }),
  },
  {
    what: "metadata that is the protocol's own",
    thrown: () =>
      new ConnectError("m", Code.Aborted, {
        "grpc-status": "1",
        "content-type": "text/plain",
        "grpc-message": "x",
      }),
  },
  { what: "details", thrown: () => withDetails(new ConnectError("d", Code.FailedPrecondition)) },
  {
    what: "details and metadata",
    thrown: () => withDetails(new ConnectError("d", Code.ResourceExhausted, { "x-own": "a" })),
  },
  {
    what: "a cause",
    thrown: () => new ConnectError("c", Code.Unknown, undefined, undefined, new Error("secret")),
  },
  { what: "an error of another kind", thrown: () => new TypeError("secret: x is not a function") },
  {
    what: "an error that calls itself cancelled",
    thrown: () => Object.assign(new Error("x"), { name: "AbortError" }),
  },
  { what: "no error", thrown: () => "secret" },
];

describeSame(
  "a call that fails",
  protocols.flatMap(({ protocol, headers, wrap, acceptHeader }) =>
    failures.flatMap(({ what, thrown }): SameCase[] => {
      const fail = (): never => {
        throw thrown();
      };
      const failLater = async (): Promise<never> => {
        await turns(1);
        return fail();
      };
      const calls = { getStats: fail, queryStats: failLater, writeQueryStats: failLater };
      return [
        {
          what: `with ${what}, ${protocol}`,
          sent: { path: paths.getStats, headers, body: wrap(body) },
          calls,
          isHot: true,
        },
        {
          what: `later with ${what}, its failure compressed if it can be, ${protocol}`,
          sent: {
            path: paths.queryStats,
            headers: { ...headers, [acceptHeader]: "gzip" },
            body: wrap(Buffer.alloc(0)),
          },
          calls,
          isHot: true,
        },
      ];
    }),
  ),
);

describe("a deadline that passes while the answer is made", { timeout: 30_000 }, () => {
  for (const { protocol, headers, wrap, timeoutHeader } of protocols) {
    for (const { version, exchange } of [
      { version: "HTTP/1.1", exchange: exchangeHttp1 },
      { version: "HTTP/2", exchange: exchangeHttp2 },
    ]) {
      it(`is the same on both ways: ${protocol} over ${version}`, async (t) => {
        const untilLate = async (signal: { throwIfAborted: () => void }): Promise<never> => {
          for (;;) {
            signal.throwIfAborted();
            await turns(1);
          }
        };
        const { hot, routed } = await startBothWays(t, {
          calls: {
            queryStats: async (_, { signal }) => untilLate(signal),
            writeQueryStats: async (_, { signal }) => untilLate(signal),
          },
        });
        const timeout = timeoutHeader === "grpc-timeout" ? "50m" : "50";
        const sent = {
          path: paths.queryStats,
          headers: { ...headers, [timeoutHeader]: timeout },
          body: wrap(Buffer.alloc(0)),
        };
        const [seen, expected] = await Promise.all([
          exchange(t, hot.port, sent),
          exchange(t, routed.port, sent),
        ]);
        assert.deepEqual(seen, expected);
        assert.deepEqual(hot.traces(), routed.traces());
        assert.equal(hot.hotCount, 1);
      });
    }
  }
});

describe("an answer of 1,024 bytes", { timeout: 10_000 }, () => {
  it("is compressed on the shorter way if the caller takes that, and one of 1,023 is not", async (t) => {
    const { hot } = await startBothWays(t, {
      calls: { writeQueryStats: async () => Promise.resolve([Buffer.alloc(length)]) },
    });
    let length = 1_023;
    const headers = { ...grpcWeb.headers, "grpc-accept-encoding": "gzip" };
    const request = { path: paths.queryStats, headers, body: grpcWeb.wrap(Buffer.alloc(0)) };
    const flagsOf = async (): Promise<unknown> =>
      envelopesOf((await sendHttp2(hot.port, request)).body).map(({ flags }) => flags);
    assert.deepEqual(await flagsOf(), [0, 0x80]);
    length = 1_024;
    assert.deepEqual(await flagsOf(), [1, 0x80]);
  });
});

describe("headers that come twice", { timeout: 20_000 }, () => {
  for (const { protocol, headers, wrap, name, values } of [
    { ...connect, name: "accept-encoding", values: ["gzip", "br"] },
    { ...connect, name: "connect-timeout-ms", values: ["60000", "0"] },
    { ...grpcWeb, name: "grpc-timeout", values: ["60S", "0S"] },
    { ...grpcWeb, name: "grpc-encoding", values: ["identity", "gzip"] },
    { ...grpcWeb, name: "grpc-accept-encoding", values: ["br", "gzip"] },
    { ...grpcWeb, name: "x-own", values: ["a", "b"] },
  ]) {
    it(`are the same on both ways: ${name}, ${protocol} over HTTP/2`, async (t) => {
      const { hot, routed } = await startBothWays(t);
      const ask = async ({ port }: ServedWay): Promise<unknown> => {
        const session = openSession(t, port);
        const asked = { ":method": "POST", ":path": paths.getStats, ...headers, [name]: values };
        const stream = session.request(asked, { endStream: false });
        stream.end(wrap(body));
        const { status, body: answer, trailers } = await readAnswer(stream);
        return { status, answer, trailers };
      };
      assert.deepEqual(await ask(hot), await ask(routed));
      assert.deepEqual(hot.traces(), routed.traces());
    });
  }
});

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { Code } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "#gen/grpc/health/v1/health_pb.js";
import { count, paths, startApi, userUplink, valuesOf } from "../helpers/api-server.js";
import { envelope, envelopesOf, getStatsRequest, getStatsValue } from "../helpers/grpc.js";
import { GrpcWebTextClient } from "../helpers/grpc-web-client.js";
import { versions, type HttpAnswer, type SendRequest } from "../helpers/raw-http.js";

const io = { timeout: 20_000 };
const alice = userUplink("alice");
const request = envelope(getStatsRequest({ name: alice, reset: true }));
const contentTypes = [
  "application/grpc-web-text",
  "application/grpc-web-text+proto",
  "application/grpc-web-text; charset=utf-8",
  'application/grpc-web-text+proto;a=b; charset="UTF-8"',
];

/** The frames of an answer in text, in which each may be padded for itself. */
function framesOf({ body }: HttpAnswer): ReturnType<typeof envelopesOf> {
  const texts = body.toString("latin1").split(/(?<==)(?!=)/);
  return envelopesOf(Buffer.concat(texts.map((text) => Buffer.from(text, "base64"))));
}

function statusOf(answer: HttpAnswer): number {
  const last = framesOf(answer).at(-1);
  assert.equal(last?.flags, 0x80);
  return Number(/grpc-status: ?(\d+)/.exec(last.data.toString())?.[1]);
}

/** A server with a counter at 5. */
async function start(t: TestContext) {
  const api = await startApi(t);
  count(api.store, alice, 5);
  return api;
}

for (const { version, send } of versions) {
  for (const contentType of contentTypes) {
    describe(`a call in ${contentType} over ${version}`, io, () => {
      const ask = async (port: number, body: string, more: object = {}): ReturnType<SendRequest> =>
        send(port, { path: paths.getStats, headers: { "content-type": contentType, ...more }, body });

      it("is answered in the same", async (t) => {
        const { port, store } = await start(t);
        const answer = await ask(port, request.toString("base64"));
        assert.equal(answer.status, 200);
        assert.equal(answer.headers["content-type"], contentType);
        assert.match(answer.body.toString("latin1"), /^[\w+/=]+$/);
        const [message, trailer, ...rest] = framesOf(answer);
        assert.equal(getStatsValue(message?.data ?? Buffer.alloc(0)), 5n);
        assert.equal(trailer?.flags, 0x80);
        assert.deepEqual(rest, []);
        assert.equal(statusOf(answer), 0);
        assert.deepEqual(valuesOf(store), { [alice]: 0n });
      });

      it("may be several texts, each padded for itself", async (t) => {
        const { port } = await start(t);
        for (const length of [1, 2, 3, 4, 5, 6, 7]) {
          const texts = [request.subarray(0, length), request.subarray(length)];
          const answer = await ask(port, texts.map((text) => text.toString("base64")).join(""));
          assert.equal(statusOf(answer), 0);
        }
      });

      it("fails in the same, and resets nothing", async (t) => {
        const { port, store } = await start(t);
        const missing = envelope(getStatsRequest({ name: "nope", reset: true }));
        const text = request.toString("base64");
        for (const [body, code] of [
          [missing.toString("base64"), Code.NotFound],
          [text.slice(0, -1), Code.InvalidArgument],
          [`${text.slice(0, 20)}\r\n${text.slice(20)}`, Code.InvalidArgument],
          [`*${text.slice(1)}`, Code.InvalidArgument],
        ] as const) {
          const answer = await ask(port, body);
          assert.equal(answer.status, 200);
          assert.equal(answer.headers["content-type"], contentType);
          assert.equal(statusOf(answer), code, body);
        }
        assert.deepEqual(valuesOf(store), { [alice]: 5n });
      });

      it("has as much room as any other, decoded", async (t) => {
        const { port } = await start(t);
        const ofBytes = (bytes: number): string => {
          const name = "x".repeat(bytes - 4);
          const message = getStatsRequest({ name });
          assert.equal(message.length, bytes);
          return envelope(message).toString("base64");
        };
        assert.equal(statusOf(await ask(port, ofBytes(65_536))), Code.NotFound);
        assert.equal(statusOf(await ask(port, ofBytes(65_537))), Code.ResourceExhausted);
      });

      it("may be compressed", async (t) => {
        const { port } = await start(t);
        const body = envelope(gzipSync(getStatsRequest({ name: alice })), 1).toString("base64");
        const answer = await ask(port, body, { "grpc-encoding": "gzip" });
        assert.equal(getStatsValue(framesOf(answer)[0]?.data ?? Buffer.alloc(0)), 5n);
      });

      it("stands behind the guard", async (t) => {
        const { port, store } = await start(t);
        const answer = await ask(port, request.toString("base64"), { origin: "https://evil.example" });
        assert.equal(answer.headers["content-type"], contentType);
        assert.equal(statusOf(answer), Code.PermissionDenied);
        assert.deepEqual(valuesOf(store), { [alice]: 5n });
      });

      it("may come from a page of an origin that is allowed", async (t) => {
        const api = await startApi(t, { allowedOrigins: ["https://panel.example"] });
        count(api.store, alice, 5);
        const origin = "https://panel.example";
        const preflight = await send(api.port, {
          method: "OPTIONS",
          path: paths.getStats,
          headers: {
            origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,x-grpc-web,x-user-agent",
          },
        });
        assert.equal(preflight.status, 204);
        const allowed = String(preflight.headers["access-control-allow-headers"]).toLowerCase();
        for (const name of ["content-type", "x-grpc-web", "x-user-agent"]) assert.ok(allowed.includes(name));
        const answer = await ask(api.port, request.toString("base64"), { origin });
        assert.equal(answer.headers["access-control-allow-origin"], origin);
        assert.equal(statusOf(answer), 0);
      });
    });
  }
}

describe("gRPC-Web's text form", io, () => {
  it("carries a stream of answers, each as it comes", async (t) => {
    const api = await startApi(t);
    const stream = new GrpcWebTextClient(api.url).stream(Health.method.watch, { service: "" });
    const statuses: ServingStatus[] = [];
    const ended = new Promise<void>((resolve) => stream.on("end", resolve));
    await new Promise<void>((resolve) => {
      stream.on("data", ({ status }) => {
        statuses.push(status);
        resolve();
      });
    });
    assert.deepEqual(statuses, [ServingStatus.SERVING]);
    await api.server.stop(new AbortController().signal);
    await ended;
    assert.deepEqual(statuses, [ServingStatus.SERVING, ServingStatus.NOT_SERVING]);
  });
});

import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import type { ClientHttp2Session } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import {
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type Client,
  type ConnectRouter,
  type Transport,
} from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
  type HealthCheckResponse,
} from "#gen/grpc/health/v1/health_pb.js";
import { createCallHandler } from "../../src/rpc/call-handler.js";
import { registerHealth } from "../../src/rpc/health.js";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { createRefusalTally } from "../../src/rpc/refusal-tally.js";
import { serviceNames } from "../helpers/api-client.js";
import { startApi } from "../helpers/api-server.js";
import { envelope } from "../helpers/grpc.js";
import { openSession, openStream, readAnswer, sendHttp2 } from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import { failureOf } from "../helpers/stats-clients.js";
import { until } from "../helpers/timing.js";

const io = { timeout: 20_000 };
const never = new AbortController().signal;
const grpcServices = [
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
];

type Open = (t: TestContext, url: string) => Client<typeof Health>;

function overHttp2(create: (url: string, sessionManager: Http2SessionManager) => Transport): Open {
  return (t, url) => {
    const manager = new Http2SessionManager(url);
    closeAfter(t, {
      [Symbol.asyncDispose]: async () => {
        manager.abort();
        return Promise.resolve();
      },
    });
    return createClient(Health, create(url, manager));
  };
}

const ways: Readonly<Record<string, Open>> = {
  "gRPC over HTTP/2": overHttp2((baseUrl, sessionManager) =>
    createGrpcTransport({ baseUrl, sessionManager }),
  ),
  "gRPC-Web over HTTP/1.1": (_t, baseUrl) =>
    createClient(Health, createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })),
  "Connect over HTTP/2": overHttp2((baseUrl, sessionManager) =>
    createConnectTransport({ baseUrl, httpVersion: "2", sessionManager, useBinaryFormat: false }),
  ),
};

/** The statuses of a watch, one after another. */
function watch(
  client: Client<typeof Health>,
  service: string,
  signal?: AbortSignal,
): { readonly next: () => Promise<ServingStatus | "end"> } {
  const iterator = client.watch({ service }, signal && { signal })[Symbol.asyncIterator]();
  return {
    next: async () => {
      const { done, value } = (await iterator.next()) as IteratorResult<HealthCheckResponse, undefined>;
      return done === true ? "end" : value.status;
    },
  };
}

for (const [way, open] of Object.entries(ways)) {
  describe(`the health service by ${way}`, io, () => {
    it("says that the server and each of its services serve", async (t) => {
      const client = open(t, (await startApi(t)).url);
      for (const service of ["", ...serviceNames, ...grpcServices]) {
        assert.equal((await client.check({ service })).status, ServingStatus.SERVING, service);
      }
    });

    it("says NOT_FOUND for services that there are not", async (t) => {
      const client = open(t, (await startApi(t)).url);
      for (const service of ["nope", "grpc.health.v1", `${serviceNames[0]}/GetStats`]) {
        assert.deepEqual(await failureOf(client.check({ service })), {
          code: Code.NotFound,
          message: `unknown service ${JSON.stringify(service)}`,
        });
      }
    });

    it("knows no StatsService where there is none", async (t) => {
      const client = open(t, (await startApi(t, { store: undefined })).url);
      assert.equal((await client.check({ service: "" })).status, ServingStatus.SERVING);
      assert.equal((await failureOf(client.check({ service: serviceNames[0] }))).code, Code.NotFound);
      const { statuses } = await client.list({});
      assert.deepEqual(Object.keys(statuses).toSorted(), ["", ...grpcServices]);
    });

    it("lists what serves", async (t) => {
      const client = open(t, (await startApi(t)).url);
      const { statuses } = await client.list({});
      assert.deepEqual(
        Object.entries(statuses)
          .map(([name, { status }]) => [name, status])
          .toSorted(),
        ["", ...serviceNames, ...grpcServices].map((name) => [name, ServingStatus.SERVING]).toSorted(),
      );
    });

    it("tells who watches that the server stops, and lets them go", async (t) => {
      const api = await startApi(t);
      const client = open(t, api.url);
      const watches = ["", serviceNames[1], "nope"].map((service) => watch(client, service));
      const firsts = await Promise.all(watches.map(async ({ next }) => next()));
      assert.deepEqual(firsts, [ServingStatus.SERVING, ServingStatus.SERVING, ServingStatus.SERVICE_UNKNOWN]);
      const stopped = api.server.stop(never);
      const lasts = await Promise.all(watches.map(async ({ next }) => next()));
      assert.deepEqual(lasts, [ServingStatus.NOT_SERVING, ServingStatus.NOT_SERVING, "end"]);
      for (const { next } of watches.slice(0, 2)) assert.equal(await next(), "end");
      await stopped;
    });

    it("lets go who watches no more", async (t) => {
      const api = await startApi(t);
      const controller = new AbortController();
      const { next } = watch(open(t, api.url), "", controller.signal);
      assert.equal(await next(), ServingStatus.SERVING);
      controller.abort();
      assert.equal((await failureOf(next())).code, Code.Canceled);
    });
  });
}

describe("registerHealth()", io, () => {
  /** A server with nothing but this, that may have two watchers. */
  async function start(
    t: TestContext,
    stopping: AbortSignal,
    refusals = createRefusalTally(),
  ): Promise<number> {
    const routes = (router: ConnectRouter): void => {
      registerHealth(router, { stopping, maxWatchers: 2, refusals });
    };
    const server = new OnePortServer({ onRequest: createCallHandler({ routes }).onRequest });
    closeAfter(t, server);
    return (await server.listen({ host: "127.0.0.1", port: 0 })).port;
  }

  const path = "/grpc.health.v1.Health/Watch";
  const headers = { "content-type": "application/grpc", te: "trailers" };

  /** How often the server waits to be stopped. */
  function waitCount(stopping: AbortSignal): number {
    return getEventListeners(stopping, "abort").length;
  }

  /** Watches for a moment, as soon as there is room to. */
  async function findRoom(t: TestContext, port: number): Promise<void> {
    const client = ways["gRPC over HTTP/2"]?.(t, `http://127.0.0.1:${port}`) ?? assert.fail();
    for (;;) {
      const controller = new AbortController();
      try {
        assert.equal(await watch(client, "", controller.signal).next(), ServingStatus.SERVING);
        return;
      } catch (error) {
        assert.equal(ConnectError.from(error).code, Code.ResourceExhausted);
      } finally {
        controller.abort();
      }
    }
  }

  for (const [what, settings] of [
    ["who read nothing", { initialWindowSize: 0 }],
    ["who read", {}],
  ] as const) {
    it(`has room again when watchers are gone ${what}`, async (t) => {
      const { signal } = new AbortController();
      const refusals = createRefusalTally();
      const port = await start(t, signal, refusals);
      for (let round = 0; round < 3; round++) {
        const session = openSession(t, port, settings);
        const streams = [1, 2].map(() =>
          openStream(session, { path, headers }).end(envelope(Buffer.alloc(0))),
        );
        await Promise.all(
          streams.map(async (stream) => new Promise((resolve) => stream.once("response", resolve))),
        );
        const third = await sendHttp2(port, { path, headers, body: envelope(Buffer.alloc(0)) });
        assert.equal(third.trailers["grpc-status"], String(Code.ResourceExhausted));
        assert.equal(third.trailers["grpc-message"], "2 calls watch, the most there may be");
        assert.ok(refusals.too_many_streams > round);
        session.destroy();
        await findRoom(t, port);
        await until(() => waitCount(signal) === 0);
      }
    });
  }

  it("has room for all that may watch with a secret, whatever a stranger takes", async (t) => {
    const secrets = [{ name: "panel", secret: "panel-s3cret" }];
    const { port } = await startApi(t, { secrets });
    const watchOn = (session: ClientHttp2Session, more: Readonly<Record<string, string>>) =>
      openStream(session, { path, headers: { ...headers, ...more } }).end(envelope(Buffer.alloc(0)));
    const open = async (count: number, more: Readonly<Record<string, string>>) => {
      const session = openSession(t, port);
      const streams = Array.from({ length: count }, () => watchOn(session, more));
      await Promise.all(streams.map(async (stream) => once(stream, "data")));
    };
    const withSecret = { authorization: "Bearer panel-s3cret" };
    await open(32, {});
    const refused = await readAnswer(watchOn(openSession(t, port), {}));
    assert.equal(refused.trailers["grpc-status"], String(Code.ResourceExhausted));
    assert.match(
      String(refused.trailers["grpc-message"]),
      /^32 calls watch without a secret from one address/,
    );
    await open(128, withSecret);
    const beyond = await readAnswer(watchOn(openSession(t, port), withSecret));
    assert.equal(beyond.trailers["grpc-message"], "128 calls watch, the most there may be");
  });

  it("says that nothing is served once the server stops, and keeps no watcher", async () => {
    const transport = createRouterTransport((router) => {
      registerHealth(router, { stopping: AbortSignal.abort() });
    });
    const client = createClient(Health, transport);
    assert.equal((await client.check({})).status, ServingStatus.NOT_SERVING);
    const { next } = watch(client, "");
    assert.deepEqual([await next(), await next()], [ServingStatus.NOT_SERVING, "end"]);
  });

  it("keeps to the caller's deadline", async (t) => {
    const { signal } = new AbortController();
    const port = await start(t, signal);
    const client = ways["gRPC over HTTP/2"]?.(t, `http://127.0.0.1:${port}`);
    assert.ok(client !== undefined);
    await assert.rejects(
      async () => {
        for await (const { status } of client.watch({}, { timeoutMs: 100 })) {
          assert.equal(status, ServingStatus.SERVING);
        }
      },
      (error) => ConnectError.from(error).code === Code.DeadlineExceeded,
    );
    await until(() => waitCount(signal) === 0);
  });
});

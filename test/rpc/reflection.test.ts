import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import type { ClientHttp2Session } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { createFileRegistry, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import {
  Code,
  ConnectError,
  createConnectRouter,
  createContextValues,
  type ConnectRouter,
} from "@connectrpc/connect";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import {
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from "#gen/grpc/reflection/v1/reflection_pb.js";
import { StatsService as XrayStatsService } from "#gen/xray/app/stats/command/command_pb.js";
import { createCallHandler } from "../../src/rpc/call-handler.js";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { registerReflection } from "../../src/rpc/reflection.js";
import { createRefusalTally } from "../../src/rpc/refusal-tally.js";
import { serviceNames } from "../helpers/api-client.js";
import { startApi } from "../helpers/api-server.js";
import { envelope, envelopesOf } from "../helpers/grpc.js";
import { KeptTimers } from "../helpers/kept-timers.js";
import { openSession, openStream, readAnswer, sendHttp1, sendHttp2 } from "../helpers/raw-http.js";
import { ReflectionStream, reflectionVersions } from "../helpers/reflection-client.js";
import { closeAfter } from "../helpers/sockets.js";
import { event, until } from "../helpers/timing.js";

const io = { timeout: 20_000 };
const never = new AbortController().signal;
const xray = "xray/app/stats/command/command.proto";
const listServices = { case: "listServices", value: "" } as const;
const question = toBinary(
  ServerReflectionRequestSchema,
  create(ServerReflectionRequestSchema, { messageRequest: listServices }),
);
const grpc = { "content-type": "application/grpc", te: "trailers" };

/** A server with these routes and nothing else. */
async function startRoutes(t: TestContext, routes: (router: ConnectRouter) => void): Promise<number> {
  const server = new OnePortServer({ onRequest: createCallHandler({ routes }).onRequest });
  closeAfter(t, server);
  return (await server.listen({ host: "127.0.0.1", port: 0 })).port;
}

function open(
  t: TestContext,
  url: string,
  { service }: (typeof reflectionVersions)[number],
): ReflectionStream {
  const sessionManager = new Http2SessionManager(url);
  closeAfter(t, {
    [Symbol.asyncDispose]: async () => {
      sessionManager.abort();
      return Promise.resolve();
    },
  });
  return new ReflectionStream(createGrpcTransport({ baseUrl: url, sessionManager }), service);
}

/** Asks one question on a stream of its own, and waits for what it is told. The answer as a whole ends with the stream. */
async function askOnce(session: ClientHttp2Session, path: string) {
  const stream = openStream(session, { path, headers: grpc });
  const answer = readAnswer(stream);
  stream.write(envelope(question));
  await event(stream, "data");
  return { stream, answer };
}

function filesOf({ messageResponse }: ServerReflectionResponse): Uint8Array[] {
  assert.ok(messageResponse.case === "fileDescriptorResponse");
  return messageResponse.value.fileDescriptorProto.map((bytes) => Buffer.from(bytes));
}

function servicesOf({ messageResponse }: ServerReflectionResponse): string[] {
  assert.ok(messageResponse.case === "listServicesResponse");
  return messageResponse.value.service.map(({ name }) => name);
}

for (const reflection of reflectionVersions) {
  describe(`server reflection ${reflection.version}`, io, () => {
    const path = `/${reflection.service.typeName}/ServerReflectionInfo`;
    const others = [
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
    ];

    it("lists every service, itself included", async (t) => {
      const stream = open(t, (await startApi(t)).url, reflection);
      assert.deepEqual(servicesOf(await stream.ask(listServices)), [...serviceNames, ...others].sort());
    });

    it("lists no StatsService where there is none", async (t) => {
      const stream = open(t, (await startApi(t, { store: undefined })).url, reflection);
      assert.deepEqual(servicesOf(await stream.ask(listServices)), others);
    });

    it("has files from which a client can make all services and call them", async (t) => {
      const stream = open(t, (await startApi(t)).url, reflection);
      for (const name of servicesOf(await stream.ask(listServices))) {
        const files = filesOf(await stream.ask({ case: "fileContainingSymbol", value: name }));
        const file = files.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
        const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: file.toReversed() }));
        assert.ok((registry.getService(name)?.methods.length ?? 0) > 0, name);
      }
    });

    it("answers one question after another, and says again what it was asked", async (t) => {
      const stream = open(t, (await startApi(t)).url, reflection);
      const byName = await stream.ask({ case: "fileByFilename", value: xray }, "a.test");
      assert.equal(byName.validHost, "a.test");
      assert.deepEqual(byName.originalRequest?.messageRequest, { case: "fileByFilename", value: xray });
      assert.equal(byName.originalRequest.host, "a.test");
      const expected = Buffer.from(toBinary(FileDescriptorProtoSchema, XrayStatsService.file.proto));
      assert.deepEqual(filesOf(byName), [expected]);
      const symbol = "xray.app.stats.command.StatsService.GetUsersStats";
      assert.deepEqual(filesOf(await stream.ask({ case: "fileContainingSymbol", value: symbol })), [
        expected,
      ]);
      stream.close();
      assert.equal((await stream.next()).done, true);
    });

    it("says NOT_FOUND for what there is not, and goes on", async (t) => {
      const stream = open(t, (await startApi(t)).url, reflection);
      const extension = { containingType: "xray.app.stats.command.Stat", extensionNumber: 100 };
      for (const [question, message] of [
        [{ case: "fileByFilename", value: "no.proto" }, 'file "no.proto" not found'],
        [{ case: "fileContainingSymbol", value: "no.Symbol" }, 'symbol "no.Symbol" not found'],
        [
          { case: "fileContainingExtension", value: extension },
          'extension 100 of "xray.app.stats.command.Stat" not found',
        ],
        [{ case: "allExtensionNumbersOfType", value: "no.Type" }, 'type "no.Type" not found'],
      ] as const) {
        const { messageResponse } = await stream.ask(question);
        assert.ok(messageResponse.case === "errorResponse");
        const { errorCode, errorMessage } = messageResponse.value;
        assert.deepEqual([errorCode, errorMessage], [Code.NotFound, message]);
      }
      assert.equal(servicesOf(await stream.ask(listServices)).length, 6);
    });

    it("knows of no extension of our messages", async (t) => {
      const stream = open(t, (await startApi(t)).url, reflection);
      const value = "xray.app.stats.command.Stat";
      const { messageResponse } = await stream.ask({ case: "allExtensionNumbersOfType", value });
      assert.ok(messageResponse.case === "allExtensionNumbersResponse");
      assert.deepEqual(messageResponse.value.baseTypeName, value);
      assert.deepEqual(messageResponse.value.extensionNumber, []);
    });

    it("says INVALID_ARGUMENT to a request that asks for nothing, and goes on", async (t) => {
      const stream = open(t, (await startApi(t)).url, reflection);
      const { messageResponse } = await stream.ask({ case: undefined });
      assert.ok(messageResponse.case === "errorResponse");
      assert.equal(messageResponse.value.errorCode, Code.InvalidArgument);
      assert.equal(servicesOf(await stream.ask(listServices)).length, 6);
    });

    it("refuses a question that is too long", async (t) => {
      const stream = open(t, (await startApi(t)).url, reflection);
      await assert.rejects(
        stream.ask({ case: "fileContainingSymbol", value: "x".repeat(65_537) }),
        (error) => ConnectError.from(error).code === Code.ResourceExhausted,
      );
    });

    it("ends for a client who asks no more while the server stops", async (t) => {
      const api = await startApi(t);
      const stream = open(t, api.url, reflection);
      await stream.ask(listServices);
      const stopped = api.server.stop(never);
      assert.equal((await stream.next()).done, true);
      await stopped;
    });

    it("ends well for a client who asks no more, and its connection stays", async (t) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const port = await startRoutes(t, (router) => {
        registerReflection(router, { stopping: never, maxStreamMs: 10_000 });
      });
      const session = openSession(t, port);
      for (let round = 0; round < 2; round++) {
        const { answer } = await askOnce(session, path);
        t.mock.timers.tick(10_000);
        const { body, trailers } = await answer;
        assert.equal(envelopesOf(body).length, 1);
        assert.equal(trailers["grpc-status"], "0");
      }
      assert.equal(session.closed, false);
    });

    it("is cut when the server waits no longer for a request to end", async (t) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const api = await startApi(t, { firstRequestTimeoutMs: 10_000 });
      const { answer } = await askOnce(openSession(t, api.port), path);
      t.mock.timers.tick(10_000);
      const { body, trailers } = await answer;
      assert.equal(envelopesOf(body).length, 1);
      assert.equal(trailers["grpc-status"], undefined);
    });

    it("stands behind the guard", async (t) => {
      const { port } = await startApi(t);
      for (const headers of [
        { ...grpc, origin: "https://evil.example" },
        { ...grpc, host: "evil.example" },
      ]) {
        const { headers: answer } = await sendHttp2(port, { path, headers });
        assert.equal(answer["grpc-status"], String(Code.PermissionDenied));
      }
    });

    it("is for HTTP/2: a client of HTTP/1.1 is told so", async (t) => {
      const { port } = await startApi(t);
      const { status } = await sendHttp1(port, { path, headers: { "content-type": "application/grpc" } });
      assert.equal(status, 505);
    });
  });
}

describe("registerReflection()", io, () => {
  it("knows what the router is given after it", async (t) => {
    const port = await startRoutes(t, (router) => {
      registerReflection(router, { stopping: never });
      router.service(XrayStatsService, {});
    });
    const stream = open(t, `http://127.0.0.1:${port}`, reflectionVersions[0]);
    assert.deepEqual(servicesOf(await stream.ask(listServices)), [
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "xray.app.stats.command.StatsService",
    ]);
  });

  it("keeps the streams of both versions to a number, and counts those beyond", async (t) => {
    const refusals = createRefusalTally();
    const port = await startRoutes(t, (router) => {
      registerReflection(router, { stopping: never, maxStreams: 2, refusals });
    });
    const session = openSession(t, port);
    const [v1 = "", v1alpha = ""] = reflectionVersions.map(
      ({ service }) => `/${service.typeName}/ServerReflectionInfo`,
    );
    const first = await askOnce(session, v1);
    await askOnce(session, v1alpha);
    for (const path of [v1, v1alpha]) {
      const { trailers } = await sendHttp2(port, { path, headers: grpc, body: envelope(question) });
      assert.equal(trailers["grpc-status"], String(Code.ResourceExhausted));
      assert.equal(trailers["grpc-message"], "2 streams of reflection are open, the most there may be");
    }
    assert.equal(refusals.too_many_streams, 2);
    first.stream.end();
    await first.answer;
    const next = await sendHttp2(port, { path: v1, headers: grpc, body: envelope(question) });
    assert.equal(next.trailers["grpc-status"], "0");
  });

  it("starts nothing for a caller who is gone before the call begins", async (t) => {
    const router = createConnectRouter();
    registerReflection(router, { stopping: never });
    const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    const handler = router.handlers.find(({ requestPath }) => requestPath === path);
    const timers = new KeptTimers(t);
    const { body } =
      (await handler?.({
        ...{ httpVersion: "2.0", method: "POST", url: `http://localhost${path}`, header: new Headers(grpc) },
        ...{ body: createAsyncIterable([envelope(question)]), signal: AbortSignal.abort() },
        contextValues: createContextValues(),
      })) ?? {};
    assert.ok(body !== undefined);
    for await (const bytes of body) assert.ok(bytes.length > 0);
    await until(() => timers.count === 0);
  });

  it("keeps nothing for a caller who is gone, whatever they left unread", async (t) => {
    const { signal: stopping } = new AbortController();
    const port = await startRoutes(t, (router) => {
      registerReflection(router, { stopping });
    });
    const session = openSession(t, port, { initialWindowSize: 1 });
    const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    const stream = openStream(session, { path, headers: grpc });
    for (let count = 0; count < 100; count++) stream.write(envelope(question));
    await new Promise((resolve) => stream.once("response", resolve));
    assert.equal(getEventListeners(stopping, "abort").length, 1);
    session.destroy();
    await until(() => getEventListeners(stopping, "abort").length === 0);
  });
});

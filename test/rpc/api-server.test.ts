import assert from "node:assert/strict";
import { PerformanceObserver } from "node:perf_hooks";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { ServerReflectionRequestSchema } from "#gen/grpc/reflection/v1/reflection_pb.js";
import { ListenError } from "../../src/net/listen-error.js";
import { ApiServer } from "../../src/rpc/api-server.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import { serviceNames } from "../helpers/api-client.js";
import { count, paths, startApi, userUplink } from "../helpers/api-server.js";
import { firstPort } from "../helpers/first-port.js";
import { envelope } from "../helpers/grpc.js";
import { getPage } from "../helpers/metrics.js";
import { openRaw, openSession, openStream, sendHttp1, sendHttp2, versions } from "../helpers/raw-http.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { closeAfter } from "../helpers/sockets.js";
import { event, turns } from "../helpers/timing.js";

const json = { "content-type": "application/json" };
const reflectionPath = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const watchPath = "/grpc.health.v1.Health/Watch";
const listServices = toBinary(
  ServerReflectionRequestSchema,
  create(ServerReflectionRequestSchema, { messageRequest: { case: "listServices", value: "" } }),
);
const listen = { host: "127.0.0.1", port: 0 };

describe("ApiServer", { timeout: 20_000 }, () => {
  it("says where it listens, and serves there", async (t) => {
    const server = new ApiServer({ listen, store: new CounterStore() });
    closeAfter(t, server);
    const [address, ...others] = await server.start();
    assert.ok(address !== undefined && "host" in address);
    const { host, port } = address;
    assert.deepEqual([host, others], ["127.0.0.1", []]);
    for (const { send } of versions) {
      const answer = await send(port, { path: paths.queryStats, headers: json, body: "{}" });
      assert.equal(answer.body.toString(), "{}");
    }
  });

  for (const name of serviceNames) {
    it(`has no ${name} where there is no store`, async (t) => {
      const api = await startApi(t, { store: undefined });
      for (const method of ["GetStats", "QueryStats", "GetSysStats"]) {
        const answer = await sendHttp1(api.port, { path: `/${name}/${method}`, headers: json, body: "{}" });
        assert.equal(answer.status, 404);
        assert.match(answer.body.toString(), /"unimplemented","message":"unknown service/);
      }
    });
  }

  it("shows counters that are created and counted after its start", async (t) => {
    const api = await startApi(t);
    const name = userUplink("late");
    const ask = async (): Promise<string> => {
      const request = { path: paths.getStats, headers: json, body: JSON.stringify({ name }) };
      return (await sendHttp2(api.port, request)).body.toString();
    };
    assert.match(await ask(), /"not_found","message":"user>>>late>>>traffic>>>uplink not found\."/);
    count(api.store, name, 12);
    assert.match(await ask(), /"value":"12"/);
  });

  for (const { title, path, body, most } of [
    { title: "streams of reflection", path: reflectionPath, body: undefined, most: 64 },
    { title: "calls that watch its health", path: watchPath, body: envelope(Buffer.alloc(0)), most: 128 },
  ]) {
    it(`has no more than ${most} ${title} at once, and tells of those beyond in its metrics`, async (t) => {
      const { port } = await startApi(t);
      const headers = { "content-type": "application/grpc", te: "trailers" };
      // One connection may have 128 streams.
      const session = openSession(t, port);
      for (let count = 0; count < most; count++) {
        const stream = openStream(session, { path, headers });
        if (body === undefined) stream.write(envelope(listServices));
        else stream.end(body);
        await event(stream, "response");
      }
      const refused = await sendHttp2(port, { path, headers, body: body ?? envelope(listServices) });
      assert.equal(refused.trailers["grpc-status"], "8");
      const page = await getPage(port, "/metrics");
      assert.match(
        page.body.toString(),
        /^v2ray_api_refused_requests_total\{reason="too_many_streams"\} 1$/m,
      );
    });
  }

  it("says in one line why it cannot listen", async (t) => {
    const api = await startApi(t);
    const second = new ApiServer({ listen: { host: "127.0.0.1", port: api.port } });
    closeAfter(t, second);
    await assert.rejects(second.start(), (error) => {
      assert.ok(error instanceof ListenError);
      assert.equal(error.code, "LISTEN_FAILED");
      assert.equal(error.message, `listen 127.0.0.1:${api.port}: address in use`);
      return true;
    });
  });

  it("serves under the name in its listen, and no other", async (t) => {
    const server = new ApiServer({ listen: { host: "localhost", port: 0 }, store: new CounterStore() });
    closeAfter(t, server);
    const port = firstPort(await server.start());
    const hosts = { localhost: 200, [`localhost:${port}`]: 200, "127.0.0.1": 200, "other.example": 403 };
    for (const [host, expected] of Object.entries(hosts)) {
      const request = { path: paths.queryStats, headers: { ...json, host }, body: "{}" };
      const { status } = await sendHttp1(port, request);
      assert.equal(status, expected, host);
    }
  });

  it("does not warn about callers who come and go", async (t) => {
    const logger = new RecordingLogger();
    const api = await startApi(t, { logger, sniffTimeoutMs: 30 });
    const silent = await openRaw(t, api.port);
    const garbage = await openRaw(t, api.port, "\x16\x03\x01garbage\r\n\r\n");
    const reset = await openRaw(t, api.port, "POST / HT");
    reset.socket.resetAndDestroy();
    await Promise.all([silent.closed(), garbage.closed(), reset.closed()]);
    await sendHttp1(api.port, { path: "/" });
    await turns(5);
    const levels = new Set(logger.lines.map(({ level }) => level));
    assert.deepEqual([...levels], ["debug"]);
  });

  it("stops to watch the process when it stops", async (t) => {
    const disconnect = t.mock.method(PerformanceObserver.prototype, "disconnect");
    const server = new ApiServer({ listen });
    await server.start();
    assert.equal(disconnect.mock.callCount(), 0);
    await server.stop(new AbortController().signal);
    assert.equal(disconnect.mock.callCount(), 1);
  });

  it("may be stopped before its start, twice, and disposed after", async () => {
    const server = new ApiServer({ listen });
    await server.stop(new AbortController().signal);
    await server.stop(AbortSignal.abort());
    await server[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
});

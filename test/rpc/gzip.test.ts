import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import { createCheapGzip } from "../../src/rpc/gzip.js";
import { count, paths, startApi, userUplink, valuesOf } from "../helpers/api-server.js";
import { envelope, envelopesOf, getStatsRequest, getStatsValue } from "../helpers/grpc.js";
import { sendHttp2, versions } from "../helpers/raw-http.js";

const alice = userUplink("alice");

describe("createCheapGzip()", () => {
  const cheapGzip = createCheapGzip();
  const bytes = Buffer.from(Array.from({ length: 2_000 }, (_, index) => userUplink(`user${index}`)).join());

  it("writes gzip at its cheapest level, whose name it bears", async () => {
    const compressed = await cheapGzip.compress(bytes);
    assert.equal(cheapGzip.name, "gzip");
    assert.deepEqual(gunzipSync(compressed), bytes);
    assert.equal(compressed.length, gzipSync(bytes, { level: 1 }).length);
    assert.notEqual(compressed.length, gzipSync(bytes).length);
    assert.ok(compressed.length < bytes.length / 5);
  });

  it("reads gzip of any level, up to the limit", async () => {
    assert.deepEqual(
      Buffer.from(await cheapGzip.decompress(gzipSync(bytes, { level: 9 }), bytes.length)),
      bytes,
    );
    await assert.rejects(
      cheapGzip.decompress(gzipSync(bytes), bytes.length - 1),
      (error) => error instanceof ConnectError && error.code === Code.ResourceExhausted,
    );
  });

  it("refuses what is no gzip", async () => {
    await assert.rejects(cheapGzip.decompress(Buffer.from("no gzip at all"), 100), ConnectError);
  });
});

describe("compression of answers", { timeout: 20_000 }, () => {
  for (const { version, send } of versions) {
    for (const { accepted, encoding } of [
      { accepted: "br", encoding: undefined },
      { accepted: "deflate, br, zstd", encoding: undefined },
      { accepted: "identity", encoding: undefined },
      { accepted: "gzip", encoding: "gzip" },
      { accepted: "br, gzip", encoding: "gzip" },
    ]) {
      it(`is ${encoding ?? "none"} where the client takes ${accepted}: Connect over ${version}`, async (t) => {
        const api = await startApi(t);
        for (let index = 0; index < 100; index++) count(api.store, userUplink(`user${index}`), index);
        const headers = { "content-type": "application/json", "accept-encoding": accepted };
        const answer = await send(api.port, { path: paths.queryStats, headers, body: "{}" });
        assert.equal(answer.status, 200);
        assert.equal(answer.headers["content-encoding"], encoding);
        const decode = encoding === undefined ? (body: Buffer) => body : gunzipSync;
        const { stat } = JSON.parse(decode(answer.body).toString()) as { stat: unknown[] };
        assert.equal(stat.length, 100);
      });
    }
  }

  for (const { accepted, encoding } of [
    { accepted: "br", encoding: undefined },
    { accepted: "br,gzip", encoding: "gzip" },
  ]) {
    it(`is ${encoding ?? "none"} where the client takes ${accepted}: gRPC`, async (t) => {
      const api = await startApi(t);
      for (let index = 0; index < 100; index++) count(api.store, userUplink(`user${index}`), index);
      const headers = {
        "content-type": "application/grpc",
        te: "trailers",
        "grpc-accept-encoding": accepted,
      };
      const answer = await sendHttp2(api.port, {
        path: paths.queryStats,
        headers,
        body: envelope(Buffer.alloc(0)),
      });
      assert.equal(answer.trailers["grpc-status"], "0");
      assert.equal(answer.headers["grpc-encoding"], encoding);
      assert.equal(answer.headers["grpc-accept-encoding"], undefined);
      const [first] = envelopesOf(answer.body);
      assert.equal(first?.flags, encoding === undefined ? 0 : 1);
    });
  }
});

describe("compression of requests", { timeout: 20_000 }, () => {
  const json = { "content-type": "application/json" };
  const grpc = { "content-type": "application/grpc", te: "trailers" };

  it("is understood if it is gzip: Connect and gRPC", async (t) => {
    const api = await startApi(t);
    count(api.store, alice, 5);
    const connectAnswer = await sendHttp2(api.port, {
      path: paths.getStats,
      headers: { ...json, "content-encoding": "gzip" },
      body: gzipSync(JSON.stringify({ name: alice })),
    });
    assert.match(connectAnswer.body.toString(), /"5"/);
    const grpcAnswer = await sendHttp2(api.port, {
      path: paths.getStats,
      headers: { ...grpc, "grpc-encoding": "gzip" },
      body: envelope(gzipSync(getStatsRequest({ name: alice })), 1),
    });
    assert.equal(getStatsValue(envelopesOf(grpcAnswer.body)[0]?.data ?? Buffer.alloc(0)), 5n);
  });

  const bomb = gzipSync(Buffer.alloc(40_000_000, " "));
  it("does not let a bomb through that is small enough itself", () => {
    assert.ok(bomb.length < 64 * 1024);
  });

  for (const { version, send } of versions) {
    it(`is refused if it unpacks to more than a request may be: Connect over ${version}`, async (t) => {
      const api = await startApi(t);
      count(api.store, alice, 5);
      const headers = { ...json, "content-encoding": "gzip" };
      const startedAt = performance.now();
      const answer = await send(api.port, { path: paths.queryStats, headers, body: bomb });
      assert.equal(answer.status, 429);
      assert.match(answer.body.toString(), /"resource_exhausted"/);
      assert.ok(performance.now() - startedAt < 1_000);
    });
  }

  it("is refused if it unpacks to more than a request may be: gRPC", async (t) => {
    const api = await startApi(t);
    const headers = { ...grpc, "grpc-encoding": "gzip" };
    const answer = await sendHttp2(api.port, { path: paths.queryStats, headers, body: envelope(bomb, 1) });
    assert.equal(answer.trailers["grpc-status"], "8");
  });

  for (const { encoding, compress } of [
    { encoding: "br", compress: brotliCompressSync },
    { encoding: "deflate", compress: deflateSync },
  ]) {
    it(`is UNIMPLEMENTED if it is ${encoding}, and resets nothing`, async (t) => {
      const api = await startApi(t);
      count(api.store, alice, 5);
      const answer = await sendHttp2(api.port, {
        path: paths.queryStats,
        headers: { ...json, "content-encoding": encoding },
        body: compress(JSON.stringify({ reset: true })),
      });
      assert.equal(answer.status, 501);
      assert.match(answer.body.toString(), /supported encodings are gzip/);
      assert.deepEqual(valuesOf(api.store), { [alice]: 5n });
    });
  }
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { constants } from "node:http2";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import type { ApiServerOptions } from "../../src/rpc/api-server.js";
import { paths, valuesOf } from "../helpers/api-server.js";
import { alice, codeOf, refused, startLimited, ways, type Query } from "../helpers/limited-api.js";
import { http1Text, openRaw, openSession, openStream, sendOnSession, versions } from "../helpers/raw-http.js";
import { closed } from "../helpers/timing.js";

const io = { timeout: 20_000 };

const many = (length: number) => Array.from({ length }, () => "nobody");

/** Limits of queries: what is at the limit, and what goes one beyond. */
const queryLimits: readonly {
  readonly what: string;
  readonly options: Partial<ApiServerOptions>;
  readonly served: Query;
  readonly refused: Query;
  readonly code: string;
  readonly reason: string;
}[] = [
  {
    ...{ what: "the number of patterns", options: { maxPatterns: 4 }, code: "invalid_argument" },
    ...{ served: { patterns: many(4) }, refused: { patterns: many(5) }, reason: "many_patterns" },
  },
  {
    ...{ what: "the length of a pattern", options: { maxPatternLength: 6 }, code: "invalid_argument" },
    ...{ served: { patterns: ["z", "nobody"] }, refused: { patterns: ["z", "nobody1"] } },
    reason: "long_pattern",
  },
  {
    ...{ what: "the length of expressions", options: { maxRegexpLength: 8 }, code: "invalid_argument" },
    served: { patterns: ["bob", "carol"], regexp: true },
    refused: { patterns: ["bob1", "carol"], regexp: true },
    reason: "costly_regexp",
  },
  {
    ...{ what: "the repeats of expressions", options: { maxRegexpRepeats: 7 }, code: "invalid_argument" },
    served: { patterns: ["b{3}", "c{2,4}"], regexp: true },
    refused: { patterns: ["b{3}", "c{2,5}"], regexp: true },
    reason: "costly_regexp",
  },
  {
    ...{ what: "the instructions of an expression", options: {}, code: "invalid_argument" },
    served: { patterns: ["(b?){500}b{500}"], regexp: true },
    refused: { patterns: ["(b?c?){500}b{500}(d?){250}"], regexp: true },
    reason: "costly_regexp",
  },
];

describe("limits of a query", { timeout: 60_000 }, () => {
  for (const { what, options, served, refused: beyond, code, reason } of queryLimits) {
    for (const { protocol, version, headers, encode, wrap, send } of ways) {
      it(`serves ${what} at the limit and refuses one beyond: ${protocol} over ${version}`, async (t) => {
        const api = await startLimited(t, options);
        const ask = async (query: Query) =>
          codeOf(await send(api.port, { path: paths.queryStats, headers, body: wrap(encode(query), false) }));
        assert.equal(await ask(served), "ok");
        assert.equal(await ask(beyond), code);
        assert.equal(await ask(served), "ok");
        await refused(api, { [reason]: 1 });
        assert.deepEqual(valuesOf(api.store), { [alice]: 5n });
      });
    }
  }

  it("ends one that takes too long, and resets nothing", io, async (t) => {
    const api = await startLimited(t, { maxQueryMs: 0 });
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ patterns: ["(a?){500}a{500}", "alice"], regexp: true, reset: true });
    for (const { send } of versions) {
      const answer = await send(api.port, { path: paths.queryStats, headers, body });
      assert.equal(codeOf(answer), "resource_exhausted");
    }
    await refused(api, { long_query: 2 });
    assert.deepEqual(valuesOf(api.store), { [alice]: 5n });
  });
});

describe("limits of a message", { timeout: 60_000 }, () => {
  const limit = 2_000;

  for (const { protocol, version, headers, compressed, encode, wrap, send } of ways) {
    for (const isCompressed of [false, true]) {
      const how = isCompressed ? "inflated" : "as it comes";
      it(`serves one at the limit and refuses one beyond, ${how}: ${protocol} over ${version}`, async (t) => {
        const api = await startLimited(t, { maxRequestBytes: limit });
        const overhead = encode({ patterns: ["x".repeat(1_000)] }).length - 1_000;
        const ask = async (length: number) => {
          const message = encode({ patterns: ["x".repeat(length - overhead)] });
          assert.equal(message.length, length);
          const body = wrap(isCompressed ? gzipSync(message) : message, isCompressed);
          const all = isCompressed ? { ...headers, ...compressed } : headers;
          return codeOf(await send(api.port, { path: paths.queryStats, headers: all, body }));
        };
        assert.equal(await ask(limit), "ok");
        assert.equal(await ask(limit + 1), "resource_exhausted");
        await refused(api, { large_request: 1 });
        assert.deepEqual(valuesOf(api.store), { [alice]: 5n });
      });
    }
  }
});

describe("limits of a head", { timeout: 60_000 }, () => {
  for (const { protocol, version, headers, encode, wrap, send } of ways) {
    it(`refuses too many headers and too many bytes of them: ${protocol} over ${version}`, async (t) => {
      const api = await startLimited(t, { maxHeaders: 20, maxHeaderBytes: 2_000 });
      const body = wrap(encode({ patterns: ["nobody"] }), false);
      const ask = async (more: Readonly<Record<string, string>>) =>
        codeOf(await send(api.port, { path: paths.queryStats, headers: { ...headers, ...more }, body }));
      const some = (length: number) =>
        Object.fromEntries(Array.from({ length }, (_, index) => [`x-${index}`, ""]));
      assert.equal(await ask(some(12)), "ok");
      assert.equal(await ask({ "x-long": "x".repeat(1_500) }), "ok");
      assert.equal(await ask(some(21)), "resource_exhausted");
      assert.equal(await ask({ "x-long": "x".repeat(2_000) }), "resource_exhausted");
      await refused(api, { large_headers: 2 });
    });
  }

  it("cuts off what is twice as large over HTTP/1.1, which is told so", io, async (t) => {
    const api = await startLimited(t, { maxHeaderBytes: 2_000 });
    const raw = await openRaw(
      t,
      api.port,
      http1Text({ path: "/", headers: { "x-long": "x".repeat(5_000) } }),
    );
    assert.match(await raw.closed(), /^HTTP\/1\.1 431 /);
    await refused(api, { large_headers: 1 });
  });

  it("resets what is twice as large over HTTP/2, and its connection goes on", io, async (t) => {
    const api = await startLimited(t, { maxHeaderBytes: 2_000 });
    const session = openSession(t, api.port);
    // From here on both sides know the limit.
    await once(session, "localSettings");
    await new Promise((resolve) => session.ping(resolve));
    const headers = { "content-type": "application/json" };
    const stream = openStream(session, { path: paths.getSysStats, headers: { "x-long": "x".repeat(5_000) } });
    stream.resume();
    await closed(stream);
    assert.equal(stream.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    assert.equal(
      codeOf(await sendOnSession(session, { path: paths.getSysStats, headers, body: "{}" })),
      "ok",
    );
  });
});

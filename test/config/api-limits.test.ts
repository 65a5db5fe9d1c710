import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { toConfig } from "../../src/config/to-config.js";
import { createApp } from "../../src/index.js";
import { defaultApiLimits } from "../../src/rpc/api-limits.js";
import { sendHttp1 } from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import { defaultLimits } from "./api-limits.js";
import { issueLines } from "./issues.js";
import { firstPort } from "../helpers/first-port.js";

const withLimits = (limits: unknown) => ({ experimental: { v2ray_api: { limits } } });
const limitsOf = (limits: unknown) => toConfig(withLimits(limits)).experimental.v2ray_api.limits;

const valueOf = (limits: unknown, key: string) => new Map(Object.entries(limitsOf(limits))).get(key);

const counts: readonly (readonly [key: string, least: number, most: number])[] = [
  ["connections", 1, 2 ** 24],
  ["connections_per_source", 1, 2 ** 24],
  ["calls", 1, 1_000_000],
  ["calls_per_connection", 1, 10_000],
  ["request_bytes", 1_024, 4 * 2 ** 20],
  ["headers", 16, 1_000],
  ["header_bytes", 1_024, 2 ** 20],
  ["patterns", 1, 1_000_000],
  ["pattern_length", 1, 2 ** 20],
  ["regexp_length", 1, 65_536],
  ["regexp_repeats", 0, 100_000],
  ["regexp_instructions", 100, 100_000],
  ["waiting_queries", 1, 1_000_000],
  ["queued_answer_bytes", 2 ** 20, 2 ** 36],
  ["http2_resets", 1, 1_000_000],
  ["http2_pings", 1, 1_000_000],
  ["http2_settings", 1, 1_000_000],
  ["http2_bytes", 65_536, 2 ** 30],
];
const times = ["query_time", "first_byte", "request", "http1_idle", "http2_idle", "http2_ping", "answer"];

describe("v2ray_api.limits", () => {
  it("has defaults, each by itself", () => {
    assert.deepEqual(limitsOf({}), defaultLimits);
    assert.deepEqual(limitsOf({ calls: 7 }), { ...defaultLimits, calls: 7 });
  });

  it("knows these keys and no others", () => {
    const keys = Object.keys(defaultLimits);
    assert.deepEqual([...keys].sort(), [...counts.map(([key]) => key), ...times].sort());
    assert.deepEqual(issueLines(withLimits({ call: 1 })), [
      `experimental.v2ray_api.limits.call: unknown key; expected one of ${keys.map((key) => `"${key}"`).join(", ")}`,
    ]);
  });

  for (const [key, least, most] of counts) {
    it(`takes ${least} to ${most} for ${key}`, () => {
      for (const good of [least, most]) assert.equal(valueOf({ [key]: good }, key), good);
      for (const bad of [least - 1, most + 1, 1.5, "7"]) {
        assert.deepEqual(issueLines(withLimits({ [key]: bad })), [
          `experimental.v2ray_api.limits.${key}: expected a whole number from ${least} to ${most}, got ${JSON.stringify(bad)}`,
        ]);
      }
    });
  }

  for (const key of times) {
    it(`takes a duration for ${key}`, () => {
      assert.equal(valueOf({ [key]: "1m1s" }, key), 61_000);
      assert.match(issueLines(withLimits({ [key]: "0" })).join(), /expected a duration/);
      assert.match(issueLines(withLimits({ [key]: 5 })).join(), /expected a duration/);
    });
  }

  it("has the library's defaults", () => {
    assert.deepEqual(
      {
        ...{ maxConnections: defaultLimits.connections, maxCalls: defaultLimits.calls },
        ...{ maxConnectionsPerSource: defaultLimits.connections_per_source },
        ...{ maxCallsPerConnection: defaultLimits.calls_per_connection },
        ...{ maxRequestBytes: defaultLimits.request_bytes, maxHeaders: defaultLimits.headers },
        ...{ maxHeaderBytes: defaultLimits.header_bytes, maxPatterns: defaultLimits.patterns },
        ...{ maxPatternLength: defaultLimits.pattern_length, maxRegexpLength: defaultLimits.regexp_length },
        ...{ maxRegexpRepeats: defaultLimits.regexp_repeats },
        ...{ maxRegexpInstructions: defaultLimits.regexp_instructions },
        ...{ maxQueryMs: defaultLimits.query_time, maxWaitingQueries: defaultLimits.waiting_queries },
        ...{ answerTimeoutMs: defaultLimits.answer, maxQueuedAnswerBytes: defaultLimits.queued_answer_bytes },
        ...{ maxHttp2Resets: defaultLimits.http2_resets, maxHttp2Pings: defaultLimits.http2_pings },
        ...{ maxHttp2Settings: defaultLimits.http2_settings, maxHttp2Bytes: defaultLimits.http2_bytes },
      },
      defaultApiLimits,
    );
  });
});

describe("an app with v2ray_api.limits", { timeout: 20_000 }, () => {
  async function start(t: TestContext, limits: object) {
    const api = { listen: "127.0.0.1:0", stats: { enabled: true }, limits };
    const app = createApp(toConfig({ experimental: { v2ray_api: api } }));
    closeAfter(t, app);
    const { api: addresses } = await app.start();
    return { app, port: firstPort(addresses) };
  }

  const body = JSON.stringify({ patterns: ["aa", "bb"] });
  const query = {
    path: "/v2ray.core.app.stats.command.StatsService/QueryStats",
    headers: { "content-type": "application/json" },
    body,
  };

  it("has them hold", async (t) => {
    const { port } = await start(t, { patterns: 1 });
    const { status, body: answer } = await sendHttp1(port, query);
    assert.equal(status, 400);
    assert.match(answer.toString(), /2 patterns, at most 1 are allowed/);
  });

  it("takes others at a reload", async (t) => {
    const { app, port } = await start(t, { pattern_length: 1 });
    assert.equal((await sendHttp1(port, query)).status, 400);
    const api = { listen: `127.0.0.1:${port}`, stats: { enabled: true }, limits: { pattern_length: 2 } };
    await app.reload(toConfig({ experimental: { v2ray_api: api } }));
    assert.equal((await sendHttp1(port, query)).status, 200);
  });
});

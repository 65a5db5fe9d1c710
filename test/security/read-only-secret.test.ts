import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { paths } from "../helpers/api-server.js";
import { protocols } from "../helpers/call-protocols.js";
import { envelope, getStatsRequest, queryStatsRequest } from "../helpers/grpc.js";
import type { HttpRequest } from "../helpers/raw-http.js";
import {
  assertNothingReset,
  attackerCalls,
  bearer,
  counterName,
  listeners,
  resettingCalls,
  startGuarded,
} from "./guarded-api.js";

const io = { timeout: 30_000 };
const readOnly = bearer("grafana-s3cret");
const json = { "content-type": "application/json" };
const proto = { "content-type": "application/proto" };
const grpc = { "content-type": "application/grpc", te: "trailers" };
const query = queryStatsRequest({});
const resetting = queryStatsRequest({ reset: true });
/** A boolean of the request, as Protobuf's field 2 of kind varint. */
const reset = (...value: readonly number[]): Buffer => Buffer.from([(2 << 3) | 0, ...value]);
const long = Buffer.from([...Array<number>(9).fill(0x80), 0x01]);

/** Ways to say "and reset it" that a check of the words alone would miss, with the status that each comes to. */
const disguises: readonly (readonly [what: string, request: HttpRequest, status: number])[] = [
  ["true that is 2", { path: paths.queryStats, headers: proto, body: reset(2) }, 403],
  [
    "true that is longer than it needs be",
    { path: paths.queryStats, headers: proto, body: reset(0x81, 0x00) },
    403,
  ],
  [
    "true in the highest bit",
    { path: paths.queryStats, headers: proto, body: Buffer.concat([reset(), long]) },
    403,
  ],
  [
    "false, then true",
    { path: paths.queryStats, headers: proto, body: Buffer.concat([reset(0), reset(1)]) },
    403,
  ],
  [
    "false, then true, in JSON",
    { path: paths.queryStats, headers: json, body: '{"reset":false,"reset":true}' },
    400,
  ],
  ["an escape in its name", { path: paths.queryStats, headers: json, body: '{"r\\u0065set":true}' }, 403],
  [
    "a field beside it that is unknown",
    { path: paths.queryStats, headers: json, body: '{"x":1,"reset":true}' },
    403,
  ],
  ["true as text", { path: paths.queryStats, headers: json, body: '{"reset":"true"}' }, 400],
  [
    "gzip",
    {
      path: paths.queryStats,
      headers: { ...json, "content-encoding": "gzip" },
      body: gzipSync('{"reset":true}'),
    },
    403,
  ],
  [
    "gzip in an envelope",
    {
      path: paths.queryStats,
      headers: { ...grpc, "grpc-encoding": "gzip" },
      body: envelope(gzipSync(resetting), 1),
    },
    200,
  ],
  [
    "a second message",
    { path: paths.queryStats, headers: grpc, body: Buffer.concat([envelope(query), envelope(resetting)]) },
    200,
  ],
  [
    "a counter that there is not",
    { path: paths.getStats, headers: json, body: '{"name":"x","reset":true}' },
    403,
  ],
  [
    "a pattern that matches nothing",
    { path: paths.queryStats, headers: json, body: '{"patterns":["x"],"reset":true}' },
    403,
  ],
  [
    "an expression that is none",
    { path: paths.queryStats, headers: json, body: '{"patterns":["("],"regexp":true,"reset":true}' },
    403,
  ],
  [
    "GET",
    { method: "GET", path: `${paths.queryStats}?connect=v1&encoding=json&message=%7B%22reset%22%3Atrue%7D` },
    405,
  ],
  ["GET with a body", { method: "GET", path: paths.queryStats, headers: json, body: '{"reset":true}' }, 405],
  ["PUT", { method: "PUT", path: paths.queryStats, headers: json, body: '{"reset":true}' }, 405],
];

for (const listener of listeners) {
  const { over, ask } = listener;

  describe(`a secret without the right to reset, over ${over}`, io, () => {
    for (const { protocol, headers, body, codeOf } of protocols) {
      it(`resets by no call under any name, by ${protocol}`, async (t) => {
        const api = await startGuarded(t, listener);
        // GetStats and QueryStats under three names, GetUsersStats under two.
        assert.equal(resettingCalls.length, 3 + 3 + 2);
        for (const { path, message } of resettingCalls) {
          const answer = await ask(api, { path, headers: { ...headers, ...readOnly }, body: body(message) });
          assert.equal(codeOf(answer), "7", path);
        }
        assertNothingReset(api);
      });
    }

    for (const [what, request, status] of disguises) {
      it(`resets nothing by ${what}`, async (t) => {
        const api = await startGuarded(t, listener);
        const answer = await ask(api, { ...request, headers: { ...request.headers, ...readOnly } });
        assert.equal(answer.status, status);
        const { "grpc-status": inHead, ...rest } = { ...answer.headers, ...answer.trailers };
        assert.notEqual(inHead, "0", JSON.stringify(rest));
        assertNothingReset(api);
      });
    }

    it("reads", async (t) => {
      const api = await startGuarded(t, listener);
      const { status, body } = await ask(api, {
        path: paths.getStats,
        headers: { ...proto, ...readOnly },
        body: getStatsRequest({ name: counterName }),
      });
      assert.equal(status, 200);
      assert.ok(body.includes(counterName));
      for (const path of ["/metrics", "/debug/vars"]) {
        const page = await ask(api, { method: "GET", path, headers: readOnly });
        assert.match(page.body.toString(), /987654321/);
      }
    });
  });
}

describe("the calls that are tried", () => {
  it("are all that there are", () => {
    assert.equal(attackerCalls.length, 7 + 7 + 3 + 2);
  });
});

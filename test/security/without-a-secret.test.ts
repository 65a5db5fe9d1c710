import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { protocols } from "../helpers/call-protocols.js";
import {
  assertNothingReset,
  assertTellsNothing,
  attackerCalls,
  bearer,
  listeners,
  startGuarded,
} from "./guarded-api.js";

const io = { timeout: 30_000 };
const json = { "content-type": "application/json" };
const health = "/grpc.health.v1.Health";
const queryStats = "/v2ray.core.app.stats.command.StatsService/QueryStats";

const pages = ["/metrics", "/scrape", "/debug/vars", "/debug/pprof/", "/", "/favicon.ico"];

/** Ways of writing a path that some servers take for another one, two of which begin with what is open to all. */
const disguises = [
  ...[
    "//metrics",
    "/./metrics",
    "/x/../metrics",
    "/metrics/",
    "/%6Detrics",
    "/METRICS",
    "/metrics?x",
    "/metrics%00",
  ],
  ...[
    `/.${queryStats}`,
    `/${queryStats}`,
    `${queryStats}/`,
    queryStats.toUpperCase(),
    `${queryStats}?connect=v1`,
  ],
  ...[`${health}X/Check`, `/x${health}/Check`, health, `${health}?/Check`],
  ...[
    `${health}/../metrics`,
    `${health}/..${queryStats}`,
    `${health}/%2e%2e/metrics`,
    `${health}/Check/..%2f..${queryStats}`,
  ],
  ...[
    `${health}//metrics`,
    `${health}/Check${queryStats}`,
    `${health}/Check;/metrics`,
    `${health}/QueryStats`,
  ],
];

for (const listener of listeners) {
  const { over, version, ask } = listener;

  describe(`whoever has no secret, over ${over}`, io, () => {
    for (const { protocol, headers, body, codeOf } of protocols) {
      it(`reads and resets nothing by any call under any name, by ${protocol}`, async (t) => {
        for (const { path, message } of attackerCalls) {
          // A server for each, lest the answers to the last ones be late.
          const api = await startGuarded(t, listener);
          for (const credentials of [{}, bearer("guess")]) {
            const request = { path, headers: { ...headers, ...credentials }, body: body(message) };
            const answer = await ask(api, request);
            assert.equal(codeOf(answer), "16", path);
            assertTellsNothing(answer);
          }
          assertNothingReset(api);
        }
      });
    }

    it("reads no page", async (t) => {
      for (const path of pages) {
        const api = await startGuarded(t, listener);
        for (const method of ["GET", "HEAD", "POST", "OPTIONS"]) {
          const answer = await ask(api, { method, path, headers: bearer("guess") });
          assert.equal(answer.status, 401, `${method} ${path}`);
          assertTellsNothing(answer);
        }
      }
    });

    it("gets nowhere by writing a path in another way", async (t) => {
      for (const path of disguises) {
        const api = await startGuarded(t, listener);
        for (const method of ["GET", "POST"]) {
          const body = method === "GET" ? "" : '{"reset":true}';
          const answer = await ask(api, { method, path, headers: json, body });
          const isOpen = path.startsWith(`${health}/`);
          assert.ok(
            (isOpen ? [404, 501] : [401]).includes(answer.status),
            `${answer.status}: ${method} ${path}`,
          );
          assertTellsNothing(answer);
        }
        assertNothingReset(api);
      }
    });

    it("is told that the server serves, and no more", async (t) => {
      const api = await startGuarded(t, listener);
      for (const credentials of [{}, bearer("guess")]) {
        for (const method of ["Check", "List"]) {
          const headers = { ...json, ...credentials };
          const answer = await ask(api, { path: `${health}/${method}`, headers, body: "{}" });
          assert.equal(answer.status, 200);
          assert.match(answer.body.toString(), /"status":"SERVING"/);
          assertTellsNothing(answer);
        }
      }
    });
  });

  // HTTP/2 has no such form: the library under Node's ends the stream.
  if (version === "HTTP/1.1") {
    describe(`whoever has no secret, over ${over}, by the whole URL`, io, () => {
      for (const path of ["/metrics", queryStats, `${health}/../metrics`]) {
        it(`reads nothing of ${path}`, async (t) => {
          const api = await startGuarded(t, listener);
          for (const method of ["GET", "POST"]) {
            const answer = await ask(api, { method, path: `${api.url}${path}`, headers: json, body: "" });
            assert.equal(answer.status, 401);
            assertTellsNothing(answer);
          }
          assertNothingReset(api);
        });
      }
    });
  }
}

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { protocols, type CallProtocol } from "../helpers/call-protocols.js";
import {
  allowedOrigin,
  assertNothingReset,
  assertTellsNothing,
  attackerCalls,
  bearer,
  counterName,
  listeners,
  secrets,
  startGuarded,
} from "./guarded-api.js";

const io = { timeout: 30_000 };
const json = { "content-type": "application/json" };
const health = "/grpc.health.v1.Health/Check";
const pages = ["/metrics", "/scrape", "/debug/vars", "/", health];

/** What a web page cannot help sending, wherever its name leads to. */
const foreign: readonly {
  readonly what: string;
  readonly host?: string;
  readonly origin?: string;
}[] = [
  { what: "a page of another origin", origin: "https://evil.example" },
  { what: "a page of a sandbox, a file or a redirect", origin: "null" },
  { what: "a page of another port of this machine", origin: "http://127.0.0.1:1" },
  { what: "a page of this machine under another scheme", origin: "ftp://127.0.0.1" },
  { what: "a page whose origin begins as the allowed one", origin: `${allowedOrigin}.evil.example` },
  { what: "a page whose origin ends as the allowed one", origin: "https://evil-panel.example" },
  { what: "the allowed page under another scheme", origin: "http://panel.example" },
  { what: "the allowed page under another port", origin: `${allowedOrigin}:8443` },
  { what: "two origins, one of them allowed", origin: `${allowedOrigin} https://evil.example` },
  { what: "a name that leads here", host: "evil.example" },
  { what: "a page of a name that leads here", host: "evil.example:80", origin: "http://evil.example" },
  { what: "the allowed page, by a name that leads here", host: "evil.example", origin: allowedOrigin },
  { what: "a name that begins as our address", host: "127.0.0.1.evil.example" },
  {
    what: "a name that ends as ours",
    host: "localhost.evil.example",
    origin: "http://localhost.evil.example",
  },
  { what: "our name with a dot behind it", host: "localhost.", origin: "http://localhost." },
];

function protocolAt(place: number): CallProtocol {
  const protocol = protocols[place % protocols.length];
  assert.ok(protocol !== undefined);
  return protocol;
}

for (const listener of listeners) {
  const { over, hostHeader, ask } = listener;

  for (const [row, { what, host, origin }] of foreign.entries()) {
    const foreignHeaders = {
      ...(host !== undefined && { [hostHeader]: host }),
      ...(origin !== undefined && { origin }),
    };

    describe(`${what}, over ${over}`, io, () => {
      it("reads and resets nothing by any call under any name", async (t) => {
        const api = await startGuarded(t, listener, {});
        for (const [place, { path, message }] of attackerCalls.entries()) {
          // Another protocol for each, and for each another one the next time: all of them, over the whole table.
          const { headers, body, codeOf } = protocolAt(place + row);
          const allHeaders = { ...headers, ...foreignHeaders };
          const answer = await ask(api, { path, headers: allHeaders, body: body(message) });
          assert.equal(codeOf(answer), "7", path);
          assert.equal(answer.headers["access-control-allow-origin"], undefined);
          assertTellsNothing(answer);
        }
        assertNothingReset(api);
      });

      it("reads no page, health included, by whatever a browser sends without asking", async (t) => {
        const api = await startGuarded(t, listener, {});
        for (const path of pages) {
          for (const method of ["GET", "POST"]) {
            const type = { "content-type": "text/plain" };
            const answer = await ask(api, { method, path, headers: { ...type, ...foreignHeaders } });
            assert.equal(answer.status, 403, `${method} ${path}`);
            assert.equal(answer.headers["access-control-allow-origin"], undefined);
            assertTellsNothing(answer);
          }
        }
        assertNothingReset(api);
      });
    });
  }

  describe(`what a page has its browser load as a part of itself, over ${over}`, io, () => {
    const embedded = { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" };
    for (const [what, headers, status] of [
      ["an image of another site's page", { "sec-fetch-site": "cross-site", ...embedded }, 403],
      ["an image of another port's page", { "sec-fetch-site": "same-site", ...embedded }, 403],
      [
        "a script",
        { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" },
        403,
      ],
      [
        "a frame",
        { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
        403,
      ],
      ["an image of a page of ours", { "sec-fetch-site": "same-origin", ...embedded }, 200],
      [
        "a link",
        { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
        200,
      ],
      [
        "what somebody has typed",
        { "sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
        200,
      ],
      ["a program that uses fetch()", { "sec-fetch-mode": "cors" }, 200],
    ] as const) {
      it(`is ${status === 200 ? "served" : "refused"}: ${what}`, async (t) => {
        const api = await startGuarded(t, listener, {});
        const sysStats =
          "/v2ray.core.app.stats.command.StatsService/GetSysStats?connect=v1&encoding=json&message=%7B%7D";
        for (const path of ["/metrics", "/debug/vars", sysStats]) {
          const answer = await ask(api, { method: "GET", path, headers });
          assert.equal(answer.status, status, path);
        }
      });
    }
  });

  describe(`the pages of a foreign origin that have a secret, over ${over}`, io, () => {
    it("read and reset nothing all the same", async (t) => {
      const api = await startGuarded(t, listener, { secrets });
      for (const { path, message } of attackerCalls) {
        const headers = { ...json, ...bearer("panel-s3cret"), origin: "https://evil.example" };
        const answer = await ask(api, { path, headers, body: message.json });
        assert.equal(answer.status, 403);
        assertTellsNothing(answer);
      }
      assertNothingReset(api);
    });
  });

  describe(`a page of the allowed origin, over ${over}`, io, () => {
    it("reads, which shows that the others could have", async (t) => {
      const api = await startGuarded(t, listener, {});
      for (const path of ["/metrics", "/debug/vars"]) {
        const answer = await ask(api, { method: "GET", path, headers: { origin: allowedOrigin } });
        assert.equal(answer.headers["access-control-allow-origin"], allowedOrigin);
        assert.match(answer.body.toString(), /mallorys-victim/);
      }
      const { body } = await ask(api, {
        path: "/v2ray.core.app.stats.command.StatsService/QueryStats",
        headers: { ...json, origin: allowedOrigin },
        body: "{}",
      });
      assert.ok(body.includes(counterName));
    });
  });
}

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { paths } from "../helpers/api-server.js";
import { protocols } from "../helpers/call-protocols.js";
import { openRaw, type HttpRequest } from "../helpers/raw-http.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import {
  assertTellsNothing,
  attackerCalls,
  bearer,
  listeners,
  secrets,
  startGuarded,
} from "./guarded-api.js";

const io = { timeout: 30_000 };
const right = "panel-s3cret";
const wrong = "wr0ng-s3cret";
const basic = (secret: string) => ({
  authorization: `Basic ${Buffer.from(`panel:${secret}`).toString("base64")}`,
});

/** What people send in place of `authorization: Bearer SECRET`, or with it. */
const mistakes: readonly (readonly [what: string, headers: HttpRequest["headers"], query?: string])[] = [
  ["a wrong one", bearer(wrong)],
  ["one that is a part of the right one", bearer(right.slice(0, -1))],
  ["one that begins as the right one", bearer(`${right}${right}`)],
  ["the right one without a word before it", { authorization: right }],
  ["the right one after another word", { authorization: `Token ${right}` }],
  ["the right one as a password", basic(right)],
  ["two of them", { authorization: `Bearer ${right} ${wrong}` }],
  ["the right one in another header", { "x-api-key": right, "proxy-authorization": `Bearer ${right}` }],
  ["the right one as a cookie", { cookie: `secret=${right}` }],
  ["the right one as the name of the client", { "user-agent": right }],
  ["the right one in the URL", {}, `?secret=${right}`],
];

/** Bytes that are no request, with the right secret in them: what fails in the parser. */
const broken: readonly (readonly [what: string, text: string])[] = [
  [
    "a control character",
    `POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${right}\u0001\r\n\r\n`,
  ],
  ["no colon", `POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization Bearer ${right}\r\n\r\n`],
  [
    "a blank before the colon",
    `POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization : Bearer ${right}\r\n\r\n`,
  ],
  ["a method that there is not", `${right} / HTTP/1.1\r\nHost: localhost\r\n\r\n`],
  [
    "a length that is none",
    `POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${right}\r\nContent-Length: x\r\n\r\n`,
  ],
  ["the secret alone", `Bearer ${right}\r\n\r\n`],
  ["a preface with the secret behind it", `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nBearer ${right}, Bearer ${right}`],
];

for (const listener of listeners) {
  describe(`a secret, over ${listener.over}`, io, () => {
    for (const [what, credentials, query = ""] of mistakes) {
      it(`is in no answer and not in the log, wrong or right: ${what}`, async (t) => {
        const logger = new RecordingLogger();
        const api = await startGuarded(t, listener, { secrets, logger });
        const told = [];
        for (const { headers, body, codeOf } of protocols) {
          const [call] = attackerCalls;
          assert.ok(call !== undefined);
          const request = { headers: { ...headers, ...credentials }, body: body(call.message) };
          const answer = await listener.ask(api, { ...request, path: call.path + query });
          assert.equal(codeOf(answer), "16");
          told.push(answer);
        }
        for (const path of ["/metrics", "/debug/vars", "/unknown"]) {
          told.push(
            await listener.ask(api, { method: "GET", path: path + query, headers: credentials ?? {} }),
          );
        }
        assertTellsNothing(...told, logger.lines);
      });
    }

    it("is neither where it is right", async (t) => {
      const logger = new RecordingLogger();
      const api = await startGuarded(t, listener, { secrets, logger });
      const headers = { "content-type": "application/json", ...bearer(right) };
      const told = [];
      for (const path of [paths.getStats, paths.queryStats, "/unknown", "/unknown.Service/Call"]) {
        // It asks for what there is not, so that an answer says why.
        told.push(
          await listener.ask(api, { path, headers, body: '{"name":"x","patterns":["("],"regexp":true}' }),
        );
      }
      assert.deepEqual(
        told.map(({ status }) => status),
        [404, 400, 404, 404],
      );
      assertTellsNothing(...told, logger.lines);
    });
  });
}

describe("a secret in bytes that are no request", io, () => {
  for (const [what, text] of broken) {
    it(`is in no answer and not in the log: ${what}`, async (t) => {
      const logger = new RecordingLogger();
      const [listener] = listeners;
      assert.ok(listener !== undefined);
      const api = await startGuarded(t, listener, { secrets, logger });
      const raw = await openRaw(t, api.port, text);
      raw.socket.end();
      assertTellsNothing([await raw.closed()], logger.lines);
    });
  }
});

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { createRefusalTally } from "../../src/rpc/refusal-tally.js";
import { openRaw, openSession, openStream, readAnswer, sendHttp2 } from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";

const limits = { maxHeaders: 5, maxHeaderBytes: 400 };

async function start(t: TestContext) {
  const refusals = createRefusalTally();
  const server = new OnePortServer({ onRequest: (_, response) => response.end("ok"), limits, refusals });
  closeAfter(t, server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return { port, refusals };
}

/** Headers that are as many, of so many bytes in all. */
function headersOf(count: number, bytes: number): (readonly [name: string, value: string])[] {
  const names = Array.from({ length: count }, (_, index) => `h${index}`);
  const left = bytes - names.join("").length;
  return names.map((name, index) => [name, index === 0 ? "x".repeat(left) : ""]);
}

/** @returns the status and the answer to a request with just these headers. */
const ways = {
  "HTTP/1.1": async (t: TestContext, port: number, count: number, bytes: number) => {
    const own = [
      ["Host", "a"],
      ["Connection", "close"],
    ] as const;
    const ownBytes = own.flat().join("").length;
    const all = [...own, ...headersOf(count - own.length, bytes - ownBytes)];
    const text = all.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const raw = await openRaw(t, port, `GET / HTTP/1.1\r\n${text}\r\n`);
    const answer = await raw.closed();
    return [Number(answer.slice(9, 12)), answer] as const;
  },
  "HTTP/2": async (t: TestContext, port: number, count: number, bytes: number) => {
    // Its own fields have names and values, too, and are no headers in number.
    const path = "/";
    const ownBytes = `:methodGET:schemehttp:authoritylocalhost:path${path}`.length;
    const headers = Object.fromEntries(headersOf(count, bytes - ownBytes));
    const session = openSession(t, port);
    const stream = openStream(session, {
      method: "GET",
      path,
      headers: { ":authority": "localhost", ...headers },
    });
    stream.end();
    const { status, body } = await readAnswer(stream);
    return [status, body.toString()] as const;
  },
};

for (const [version, ask] of Object.entries(ways)) {
  describe(`limitHeads() over ${version}`, { timeout: 20_000 }, () => {
    it("lets pass what has as many headers and bytes as may be", async (t) => {
      const { port, refusals } = await start(t);
      assert.equal((await ask(t, port, 5, 400))[0], 200);
      assert.deepEqual(refusals, createRefusalTally());
    });

    for (const [what, count, bytes, message] of [
      ["one header", 6, 400, "6 headers, at most 5 are allowed"],
      ["one byte", 5, 401, "401 bytes of headers, at most 400 are allowed"],
    ] as const) {
      it(`refuses what has ${what} more, and says so`, async (t) => {
        const { port, refusals } = await start(t);
        const [status, answer] = await ask(t, port, count, bytes);
        assert.equal(status, 431);
        assert.ok(answer.includes(message), answer);
        assert.deepEqual(refusals, { ...createRefusalTally(), large_headers: 1 });
      });
    }
  });
}

describe("limitStreamHeads()", { timeout: 20_000 }, () => {
  for (const { what, limits: streamLimits, headers, isShown } of [
    {
      what: "as many headers as may be",
      limits: { maxHeaders: 10 },
      headers: manyHeaders(10),
      isShown: true,
    },
    { what: "too many headers", limits: { maxHeaders: 10 }, headers: manyHeaders(11), isShown: false },
    {
      what: "a head that is large enough",
      limits: { maxHeaderBytes: 600 },
      headers: { "x-long": "x".repeat(500) },
      isShown: true,
    },
    {
      what: "too large a head",
      limits: { maxHeaderBytes: 500 },
      headers: { "x-long": "x".repeat(500) },
      isShown: false,
    },
  ]) {
    it(`${isShown ? "shows" : "refuses as a request, and does not show,"} one with ${what}`, async (t) => {
      const refusals = createRefusalTally();
      let shownCount = 0;
      const server = new OnePortServer({
        onRequest: (_, response) => response.end(),
        onStream: () => {
          shownCount += 1;
          return false;
        },
        ...{ limits: streamLimits, refusals },
      });
      closeAfter(t, server);
      const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
      const { status } = await sendHttp2(port, { path: "/", headers });
      assert.equal(status, isShown ? 200 : 431);
      assert.equal(shownCount, isShown ? 1 : 0);
      assert.equal(refusals.large_headers, isShown ? 0 : 1);
    });
  }
});

function manyHeaders(length: number): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length }, (_, index) => [`x-${index}`, ""]));
}

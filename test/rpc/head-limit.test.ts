import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { createRefusalTally } from "../../src/rpc/refusal-tally.js";
import { sendHttp2 } from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";

describe("the limit of heads, before streams", { timeout: 20_000 }, () => {
  for (const { what, limits, headers, isShown } of [
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
        ...{ limits, refusals },
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

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { authorityOf, carrierOf, cutOff, pathOf, type NodeRequest } from "../../src/rpc/node-http.js";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { versions } from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import { closed } from "../helpers/timing.js";

/** A server that keeps what `look` sees in each request. */
async function startLooking<T>(
  t: TestContext,
  look: (request: NodeRequest) => T,
): Promise<{ port: number; seen: T[] }> {
  const seen: T[] = [];
  const server = new OnePortServer({
    onRequest: (request, response) => {
      seen.push(look(request));
      response.end();
    },
  });
  closeAfter(t, server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return { port, seen };
}

describe("pathOf()", { timeout: 10_000 }, () => {
  for (const { version, send } of versions) {
    it(`is the path without the query: ${version}`, async (t) => {
      const { port, seen } = await startLooking(t, pathOf);
      for (const path of ["/", "/a/B", "/a?b=c", "/a?b?c/d", "/a%20b", "//a", "*"]) {
        await send(port, { method: "OPTIONS", path });
      }
      assert.deepEqual(seen, ["/", "/a/B", "/a", "/a", "/a%20b", "//a", "*"]);
    });
  }
});

describe("authorityOf()", { timeout: 10_000 }, () => {
  for (const { version, send, header } of [
    { ...versions[0], header: "host" },
    { ...versions[1], header: ":authority" },
    { ...versions[1], header: "host" },
  ]) {
    it(`is what ${header} says: ${String(version)}`, async (t) => {
      const { port, seen } = await startLooking(t, authorityOf);
      assert.ok(send !== undefined);
      await send(port, { path: "/", headers: { [header]: "Example.org:80" } });
      assert.deepEqual(seen, ["Example.org:80"]);
    });
  }
});

describe("cutOff()", { timeout: 10_000 }, () => {
  for (const { version, send } of versions) {
    it(`fails the answer, and destroys what carries it: ${version}`, async (t) => {
      const { port, seen } = await startLooking(t, (request) => {
        cutOff(carrierOf(request));
        return carrierOf(request);
      });
      await assert.rejects(send(port, { path: "/" }));
      assert.equal(seen.length, 1);
      for (const carrier of seen) await closed(carrier);
    });
  }
});

import assert from "node:assert/strict";
import { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { DirectOutbound } from "../../src/proxy/direct-outbound.js";
import type { OutboundConnection } from "../../src/proxy/outbound.js";
import { readAll } from "../helpers/bytes.js";
import { startDestination } from "../helpers/destination.js";
import { closeAfter, closedPort } from "../helpers/sockets.js";

const io = { timeout: 10_000 };

async function dialFrom(
  t: TestContext,
  outbound: DirectOutbound,
  host: string,
  port: number,
): Promise<OutboundConnection> {
  const opened = await outbound.dial({ host, port });
  closeAfter(t, opened.connection);
  return opened;
}

describe("DirectOutbound", () => {
  it("has its tag, and blocks nothing", () => {
    const { tag, blocks } = new DirectOutbound({ tag: "out" });
    assert.deepEqual({ tag, blocks }, { tag: "out", blocks: false });
  });

  it("connects to the destination and knows its own end of the connection", io, async (t) => {
    const destination = await startDestination(t);
    const { host, port } = destination.endpoint;
    const { boundTo } = await dialFrom(t, new DirectOutbound({ tag: "out" }), host, port);
    const remote = await destination.accept();
    assert.deepEqual(boundTo, { host: "127.0.0.1", port: remote.remotePort });
  });

  it("opens connections that can be half closed, from either end", io, async (t) => {
    const destination = await startDestination(t);
    const { host, port } = destination.endpoint;
    const { connection } = await dialFrom(t, new DirectOutbound({ tag: "out" }), host, port);
    const remote = await destination.accept();
    remote.end("early");
    assert.equal((await readAll(connection)).toString(), "early");
    connection.end("late");
    assert.equal((await readAll(remote)).toString(), "late");
  });

  it("dials as its options say", io, async (t) => {
    const destination = await startDestination(t);
    const asked: string[] = [];
    const outbound = new DirectOutbound({
      tag: "out",
      lookup: async (host) => {
        asked.push(host);
        return Promise.resolve(["127.0.0.1"]);
      },
    });
    const { connection } = await dialFrom(t, outbound, "name.test", destination.endpoint.port);
    assert.deepEqual(asked, ["name.test"]);
    assert.ok(connection instanceof Socket);
    assert.equal(connection.remoteAddress, "127.0.0.1");
  });

  it("fails as the dial does: refused", io, async (t) => {
    closeAfter(t);
    const port = await closedPort();
    const dialled = new DirectOutbound({ tag: "out" }).dial({ host: "127.0.0.1", port });
    await assert.rejects(dialled, { name: "DialError", code: "refused" });
  });

  it("fails as the dial does: too slow", io, async (t) => {
    closeAfter(t);
    const outbound = new DirectOutbound({ tag: "out", connectTimeoutMs: 10, lookup: async () => never });
    await assert.rejects(outbound.dial({ host: "name.test", port: 1 }), { code: "timeout" });
  });

  it("fails as the dial does: given up", io, async (t) => {
    closeAfter(t);
    const gone = new AbortController();
    const outbound = new DirectOutbound({ tag: "out", lookup: async () => never });
    const dialled = outbound.dial({ host: "name.test", port: 1 }, { signal: gone.signal });
    gone.abort();
    await assert.rejects(dialled, { code: "aborted" });
  });
});

const never = new Promise<never>(() => undefined);

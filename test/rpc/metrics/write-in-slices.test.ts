import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { createMetricsPages, type MetricsPagesOptions } from "../../../src/rpc/metrics/pages.js";
import { pathOf } from "../../../src/rpc/node-http.js";
import { OnePortServer } from "../../../src/rpc/one-port-server.js";
import { createRefusalTally } from "../../../src/rpc/refusal-tally.js";
import type { StatScope } from "../../../src/stats/stat-name.js";
import { getPage, manyUsers } from "../../helpers/metrics.js";
import {
  http1Text,
  openRaw,
  openSession,
  openStream,
  sendHttp1,
  versions,
  type RawConnection,
} from "../../helpers/raw-http.js";
import { RecordingLogger } from "../../helpers/recording-logger.js";
import { closeAfter } from "../../helpers/sockets.js";
import { closed, event, turns, until } from "../../helpers/timing.js";

/** Asks for a page whose answer is larger than what the system takes for a reader who reads nothing. */
async function openStalled(t: TestContext, port: number): Promise<RawConnection> {
  const raw = await openRaw(t, port);
  raw.socket.pause();
  raw.send(http1Text({ method: "GET", path: "/metrics", headers: { connection: "close" } }));
  return raw;
}

describe("a reader of metrics", { timeout: 20_000 }, () => {
  /** The pages over a store that knows how many of its users were read. */
  async function startWatched(t: TestContext, options: Partial<MetricsPagesOptions> = {}) {
    const store = manyUsers(120_000);
    const refusals = createRefusalTally();
    let readCount = 0;
    let beganCount = 0;
    const subjects = store.subjects.bind(store);
    t.mock.method(store, "subjects", function* (scope: StatScope) {
      if (scope === "user") beganCount += 1;
      for (const subject of subjects(scope)) {
        readCount += 1;
        yield subject;
      }
    });
    const figures = { NumGoroutine: 0, NumGC: 0, Alloc: 0n, TotalAlloc: 0n, Sys: 0n, Mallocs: 0n };
    const pages = createMetricsPages({
      ...{
        store,
        connections: undefined,
        refusedConnections: undefined,
        failedLogins: undefined,
        calls: [],
        refusals,
      },
      sysStats: { read: () => ({ ...figures, Frees: 0n, LiveObjects: 0n, PauseTotalNs: 0n, Uptime: 0 }) },
      ...options,
    });
    const server = new OnePortServer({
      onRequest: (request, response) => pages.get(pathOf(request))?.(request, response),
    });
    closeAfter(t, server);
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    return { server, port, refusals, readCount: () => readCount, beganCount: () => beganCount };
  }

  /**
   * Resolves when a page that nobody reads has come to a stop, with how much was made of it. The system may still make room for
   * a little more.
   */
  async function stalled(readCount: () => number): Promise<number> {
    let last = -1;
    while (readCount() === 0 || readCount() !== last) {
      last = readCount();
      await turns(200);
    }
    return last;
  }

  /** Fails if more is made of a page whose reader is gone. */
  async function assertGivenUp(readCount: () => number): Promise<void> {
    // The writer hears of it within a turn or two.
    await turns(3);
    const made = readCount();
    assert.ok(made < 120_000, `${made} of 120,000 were made`);
    await turns(50);
    assert.equal(readCount(), made);
  }

  it("who reads nothing has no more made for it, and costs nothing further once it is gone", async (t) => {
    const { server, port, readCount } = await startWatched(t);
    const raw = await openStalled(t, port);
    const made = await stalled(readCount);
    assert.ok(made < 120_000, `${made} of 120,000 were made`);
    raw.socket.resetAndDestroy();
    await until(() => server.connectionCount === 0);
    await assertGivenUp(readCount);
  });

  it("who cancels its stream costs nothing further", async (t) => {
    const { port, readCount } = await startWatched(t);
    const session = openSession(t, port);
    const stream = openStream(session, { method: "GET", path: "/metrics" });
    stream.end();
    await event(stream, "response");
    const made = await stalled(readCount);
    assert.ok(made < 120_000, `${made} of 120,000 were made`);
    stream.destroy();
    await closed(stream);
    await new Promise((resolve) => session.ping(resolve));
    await assertGivenUp(readCount);
  });

  it("gets all of it when it reads on", async (t) => {
    const { port, readCount } = await startWatched(t);
    const raw = await openStalled(t, port);
    await stalled(readCount);
    raw.socket.resume();
    assert.match(await raw.closed(), /\nv2ray_up 1\n/);
    assert.equal(readCount(), 240_000);
  });

  it("is told to come back while four others read, and served when one of them is gone", async (t) => {
    const { port, refusals, readCount } = await startWatched(t);
    const readers = [];
    for (let reader = 0; reader < 4; reader++) {
      const before = readCount();
      readers.push(await openStalled(t, port));
      await until(() => readCount() > before);
    }
    const answer = await getPage(port, "/debug/vars");
    assert.equal(answer.status, 503);
    assert.equal(answer.headers["retry-after"], "1");
    assert.match(answer.body.toString(), /^\{"code":"unavailable"/);
    assert.equal(refusals.too_many_pages, 1);
    assert.equal((await sendHttp1(port, { method: "HEAD", path: "/metrics" })).status, 200);
    readers[0]?.socket.resetAndDestroy();
    let status = 503;
    while (status === 503) ({ status } = await getPage(port, "/debug/vars"));
    assert.equal(status, 200);
  });

  it("is cut off when it takes too long", async (t) => {
    const { server, port } = await startWatched(t, { pageTimeoutMs: 200 });
    const raw = await openStalled(t, port);
    await until(() => server.connectionCount === 1);
    await until(() => server.connectionCount === 0);
    raw.socket.resume();
    assert.doesNotMatch(await raw.closed(), /v2ray_up 1/);
  });

  it("takes four places with as many requests on one connection, which are free when it is gone", async (t) => {
    const { server, port, beganCount } = await startWatched(t);
    const raw = await openRaw(t, port);
    raw.socket.pause();
    for (let request = 0; request < 4; request++) {
      raw.send(http1Text({ method: "GET", path: "/metrics" }));
    }
    await until(() => beganCount() === 4);
    assert.equal((await getPage(port, "/debug/vars")).status, 503);
    raw.socket.resetAndDestroy();
    await until(() => server.connectionCount === 0);
    await turns(3);
    assert.equal((await getPage(port, "/debug/vars")).status, 200);
  });

  it("is cut off, and the log says why, when the figures cannot be read", async (t) => {
    const logger = new RecordingLogger();
    const sysStats = {
      read: () => {
        throw new Error("broken");
      },
    };
    const { port } = await startWatched(t, { sysStats, logger });
    for (const { send } of versions) {
      await assert.rejects(send(port, { method: "GET", path: "/metrics" }));
    }
    const errors = logger.lines.filter(({ level }) => level === "error");
    assert.deepEqual(
      errors.map(({ message, fields }) => [message, fields]),
      [
        ["page failed", { error: "Error: broken" }],
        ["page failed", { error: "Error: broken" }],
      ],
    );
  });
});

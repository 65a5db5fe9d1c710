import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { LoginBrake, type LoginBrakeOptions } from "../../src/net/login-brake.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { socketPair } from "../helpers/sockets.js";
import { closed, failed, turns } from "../helpers/timing.js";

const io = { timeout: 10_000 };

/** A brake whose clock only the test moves on. */
function createBrake(t: TestContext, options: LoginBrakeOptions = {}): LoginBrake {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  return new LoginBrake({ freeCount: 0, ...options });
}

/** What has become of an answer so far. */
function watch(released: Promise<boolean>): () => boolean | undefined {
  let is: boolean | undefined;
  void released.then((value) => (is = value));
  return () => is;
}

describe("LoginBrake", () => {
  it("has the first failures answered at once, and later ones late, and counts both", io, async (t) => {
    const logger = new RecordingLogger();
    const brake = createBrake(t, { freeCount: 2, logger });
    const { server } = await socketPair(t);
    for (let count = 0; count < 2; count++) assert.equal(await brake.release(server), true);
    const late = brake.release(server);
    const isReleased = watch(late);
    t.mock.timers.tick(1_999);
    await turns(2);
    assert.equal(isReleased(), undefined);
    t.mock.timers.tick(1);
    assert.equal(await late, true);
    assert.deepEqual(brake.failed, { atOnce: 2, late: 1, unanswered: 0 });
    assert.deepEqual(logger.lines, [
      { level: "warn", message: "wrong logins are answered late", fields: { source: "127.0.0.1" } },
    ]);
  });

  it("takes all connections of an address for one source", io, async (t) => {
    const brake = createBrake(t, { freeCount: 1 });
    const [one, another] = [await socketPair(t), await socketPair(t)];
    assert.equal(await brake.release(one.server), true);
    const isReleased = watch(brake.release(another.server));
    await turns(2);
    assert.equal(isReleased(), undefined);
  });

  it(
    "keeps the place of a client that leaves until its delay is over, so that to leave makes no room",
    io,
    async (t) => {
      const brake = createBrake(t, { maxWaiting: 1 });
      const { client, server } = await socketPair(t);
      const released = brake.release(server);
      client.resetAndDestroy();
      assert.equal(await released, false);
      const next = await socketPair(t);
      assert.equal(await brake.release(next.server), false);
      assert.equal((await failed(next.client)).code, "ECONNRESET");
      t.mock.timers.tick(2_000);
      const last = watch(brake.release((await socketPair(t)).server));
      t.mock.timers.tick(2_000);
      await turns(2);
      assert.equal(last(), true);
      assert.deepEqual(brake.failed, { atOnce: 0, late: 2, unanswered: 1 });
    },
  );

  it("has nobody to answer who has left already", io, async (t) => {
    const brake = createBrake(t, { maxWaiting: 1, freeCount: 1 });
    const { server } = await socketPair(t);
    server.destroy();
    await closed(server);
    for (let count = 0; count < 4; count++) assert.equal(await brake.release(server), false);
  });

  it("resets the connection where too many wait", io, async (t) => {
    const brake = createBrake(t, { maxWaitingPerSource: 1 });
    const [one, another] = [await socketPair(t), await socketPair(t)];
    const first = brake.release(one.server);
    assert.equal(await brake.release(another.server), false);
    assert.equal((await failed(another.client)).code, "ECONNRESET");
    t.mock.timers.tick(2_000);
    assert.equal(await first, true);
    assert.deepEqual(brake.failed, { atOnce: 0, late: 1, unanswered: 1 });
  });

  it("has what waits answered at once when there is no more time", io, async (t) => {
    const brake = createBrake(t);
    const ending = new AbortController();
    const { server } = await socketPair(t);
    const released = brake.release(server, ending.signal);
    ending.abort();
    assert.equal(await released, true);
    assert.equal(server.listenerCount("close"), (await socketPair(t)).server.listenerCount("close"));
  });

  it("keeps no more of what a client sends meanwhile than its buffer holds", io, async (t) => {
    const brake = createBrake(t);
    const { client, server } = await socketPair(t);
    const released = brake.release(server);
    client.write(Buffer.alloc(16 * 1024 * 1024));
    await turns(50);
    assert.ok(server.readableLength <= 256 * 1024, `${server.readableLength}`);
    t.mock.timers.tick(2_000);
    assert.equal(await released, true);
  });
});

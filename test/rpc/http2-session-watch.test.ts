import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerHttp2Session } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { watchSession } from "../../src/rpc/http2-session-watch.js";

/** As much of a session as the watch looks at. */
class FakeSession extends EventEmitter {
  readonly socket = { bytesRead: 0, bytesWritten: 0 };
  readonly pings: (() => void)[] = [];
  destroyCount = 0;

  get destroyed(): boolean {
    return this.destroyCount > 0;
  }

  ping(onPong: () => void): void {
    this.pings.push(onPong);
  }

  destroy(): void {
    this.destroyCount += 1;
    this.emit("close");
  }

  openStream(): EventEmitter {
    const stream = new EventEmitter();
    this.emit("stream", stream);
    return stream;
  }
}

interface Watched {
  readonly session: FakeSession;
  readonly tick: (ms: number) => void;
}

function watchFake(t: TestContext): Watched {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const session = new FakeSession();
  watchSession(session as unknown as ServerHttp2Session, {
    firstRequestTimeoutMs: 100,
    http2IdleTimeoutMs: 1_000,
    http2PingIntervalMs: 10_000,
  });
  return {
    session,
    tick: (ms) => {
      t.mock.timers.tick(ms);
    },
  };
}

describe("watchSession()", () => {
  it("destroys a session without a request in time, and not before", (t) => {
    const { session, tick } = watchFake(t);
    tick(99);
    assert.equal(session.destroyed, false);
    tick(1);
    assert.equal(session.destroyed, true);
  });

  it("destroys a session whose request is not complete in time", (t) => {
    const { session, tick } = watchFake(t);
    session.openStream();
    tick(100);
    assert.equal(session.destroyed, true);
  });

  it("spares a session whose first request is complete and still being answered", (t) => {
    const { session, tick } = watchFake(t);
    session.openStream().emit("end");
    tick(9_999);
    assert.equal(session.destroyed, false);
  });

  it("destroys a session that has been without a call for long, and not before", (t) => {
    const { session, tick } = watchFake(t);
    session.openStream().emit("close");
    tick(999);
    assert.equal(session.destroyed, false);
    tick(1);
    assert.equal(session.destroyed, true);
  });

  it("counts idle time from the end of the last of several calls", (t) => {
    const { session, tick } = watchFake(t);
    const [first, second] = [session.openStream(), session.openStream()];
    first.emit("close");
    tick(5_000);
    second.emit("close");
    tick(500);
    const third = session.openStream();
    tick(900);
    third.emit("close");
    tick(999);
    assert.equal(session.destroyed, false);
    tick(1);
    assert.equal(session.destroyed, true);
  });

  it("pings at its interval, and destroys a session that is gone", (t) => {
    const { session, tick } = watchFake(t);
    session.openStream().emit("end");
    tick(10_000);
    session.pings.pop()?.();
    tick(10_000);
    assert.equal(session.pings.length, 1);
    assert.equal(session.destroyed, false);
    tick(10_000);
    assert.equal(session.destroyed, true);
  });

  it("leaves no timer for a session that closed", (t) => {
    const { session, tick } = watchFake(t);
    const stream = session.openStream();
    session.destroy();
    stream.emit("close");
    tick(100_000);
    assert.equal(session.destroyCount, 1);
    assert.deepEqual(session.pings, []);
  });
});

import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { watchSession } from "../../src/rpc/http2-session-watch.js";

/** As much of a stream as the watch looks at. */
class FakeStream extends EventEmitter {
  readonly endAfterHeaders: boolean;
  headersSent = false;
  closeCode: number | undefined;

  constructor(endAfterHeaders: boolean) {
    super();
    this.endAfterHeaders = endAfterHeaders;
  }

  close(code: number): void {
    this.closeCode = code;
  }

  /** The request is complete, it is answered, and that is it. */
  serve(): void {
    this.emit("end");
    this.headersSent = true;
    this.emit("close");
  }
}

/** As much of a socket as the watch looks at. */
class FakeSocket extends EventEmitter {
  readonly bytesRead = 0;
  readonly bytesWritten = 0;
  destroyed = false;

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

/** As much of a session as the watch looks at. */
class FakeSession extends EventEmitter {
  readonly pings: (() => void)[] = [];
  readonly goawayCodes: number[] = [];
  destroyed = false;
  closed = false;

  ping(onPong: () => void): void {
    this.pings.push(onPong);
  }

  goaway(code: number): void {
    this.goawayCodes.push(code);
  }

  close(): void {
    this.closed = true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  openStream({ endAfterHeaders = false } = {}): FakeStream {
    const stream = new FakeStream(endAfterHeaders);
    this.emit("stream", stream);
    return stream;
  }
}

interface Watched {
  readonly session: FakeSession;
  readonly socket: FakeSocket;
  readonly end: (code?: number) => void;
  readonly tick: (ms: number) => void;
}

function watchFake(t: TestContext): Watched {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const session = new FakeSession();
  const socket = new FakeSocket();
  const end = watchSession(session as unknown as ServerHttp2Session, socket as unknown as Socket, {
    firstRequestTimeoutMs: 100,
    http2IdleTimeoutMs: 1_000,
    http2PingIntervalMs: 10_000,
  });
  return {
    session,
    socket,
    end,
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

  it("destroys the socket of a session that it ended, a while later", (t) => {
    const { socket, tick } = watchFake(t);
    tick(100);
    tick(1_999);
    assert.equal(socket.destroyed, false);
    tick(1);
    assert.equal(socket.destroyed, true);
  });

  it("lets nothing more begin on a session that is at fault, and destroys its socket soon", (t) => {
    const { session, socket, end, tick } = watchFake(t);
    end(11);
    assert.deepEqual(session.goawayCodes, [11]);
    assert.ok(session.closed);
    assert.ok(session.destroyed);
    tick(99);
    assert.equal(socket.destroyed, false);
    tick(1);
    assert.equal(socket.destroyed, true);
  });

  it("says nothing on a session that is destroyed", (t) => {
    const { session, end } = watchFake(t);
    session.destroy();
    end(11);
    assert.deepEqual(session.goawayCodes, []);
  });

  it("does not wait for the streams of a session that ends", (t) => {
    const { session, end } = watchFake(t);
    end();
    assert.deepEqual(session.goawayCodes, [0]);
    assert.ok(!session.closed);
    assert.ok(session.destroyed);
  });

  it("destroys a session whose request is not complete in time", (t) => {
    const { session, tick } = watchFake(t);
    session.openStream();
    tick(100);
    assert.equal(session.destroyed, true);
  });

  it("takes a request that was cancelled before its answer for none", (t) => {
    const { session, tick } = watchFake(t);
    session.openStream().emit("close");
    tick(100);
    assert.equal(session.destroyed, true);
  });

  it("closes a later request that is not complete in time, and spares the session", (t) => {
    const { session, tick } = watchFake(t);
    session.openStream().serve();
    const stream = session.openStream();
    tick(99);
    assert.equal(stream.closeCode, undefined);
    tick(1);
    assert.equal(stream.closeCode, 8);
    assert.equal(session.destroyed, false);
  });

  for (const endAfterHeaders of [true, false]) {
    const what = endAfterHeaders ? "has no body" : "is complete";
    it(`spares a session whose first request ${what} and is still being answered`, (t) => {
      const { session, tick } = watchFake(t);
      const stream = session.openStream({ endAfterHeaders });
      stream.emit(endAfterHeaders ? "nothing" : "end");
      tick(9_999);
      assert.equal(session.destroyed, false);
      assert.equal(stream.closeCode, undefined);
    });
  }

  it("destroys a session that has been without a call for long, and not before", (t) => {
    const { session, tick } = watchFake(t);
    session.openStream().serve();
    tick(999);
    assert.equal(session.destroyed, false);
    tick(1);
    assert.equal(session.destroyed, true);
  });

  it("counts idle time from the end of the last of several calls", (t) => {
    const { session, tick } = watchFake(t);
    const [first, second] = [session.openStream(), session.openStream()];
    second.emit("end");
    first.serve();
    tick(5_000);
    second.serve();
    tick(500);
    const third = session.openStream({ endAfterHeaders: true });
    tick(900);
    third.serve();
    tick(999);
    assert.equal(session.destroyed, false);
    tick(1);
    assert.equal(session.destroyed, true);
  });

  it("pings at its interval, and destroys the socket of a session that is gone", (t) => {
    const { session, socket, tick } = watchFake(t);
    session.openStream().emit("end");
    tick(10_000);
    session.pings.pop()?.();
    tick(10_000);
    assert.equal(session.pings.length, 1);
    assert.equal(socket.destroyed, false);
    tick(10_000);
    assert.equal(socket.destroyed, true);
  });

  it("leaves no timer for a socket that closed", (t) => {
    const { session, socket, tick } = watchFake(t);
    const stream = session.openStream();
    socket.destroy();
    stream.emit("close");
    tick(100_000);
    assert.equal(session.destroyed, false);
    assert.deepEqual(session.pings, []);
  });
});

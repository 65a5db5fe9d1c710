import assert from "node:assert/strict";
import type { Http2Session, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { destroyLate } from "../../src/rpc/late-destroy.js";
import { handleWhenWanted, noteAnswer } from "../../src/rpc/newcomer.js";

/** As much of a session as is looked at. */
class FakeSession {
  destroyed = false;

  destroy(): void {
    this.destroyed = true;
  }
}

/** A request on a session, and whether it was handled. */
function requestOn(session: FakeSession | undefined, options?: Parameters<typeof handleWhenWanted>[2]) {
  const request = { stream: { session, closed: false }, isHandled: false };
  handleWhenWanted(request.stream as unknown as ServerHttp2Stream, () => (request.isHandled = true), options);
  return request;
}

async function nextTick(): Promise<void> {
  await new Promise<void>((resolve) => {
    process.nextTick(resolve);
  });
}

describe("handleWhenWanted()", () => {
  it("handles a request of a newcomer when everything is read that has come with it", async () => {
    const request = requestOn(new FakeSession());
    await nextTick();
    assert.ok(!request.isHandled);
    await nextTurn();
    assert.ok(request.isHandled);
  });

  it("has nobody wait for that who has had an answer", async () => {
    const session = new FakeSession();
    noteAnswer(session as unknown as Http2Session);
    const request = requestOn(session);
    assert.ok(!request.isHandled);
    await nextTick();
    assert.ok(request.isHandled);
  });

  it("has a newcomer wait no more whose body is being read", async () => {
    const request = requestOn(new FakeSession(), { isBegun: true });
    assert.ok(!request.isHandled);
    await nextTick();
    assert.ok(request.isHandled);
  });

  for (const { who, isKnown } of [
    { who: "a newcomer", isKnown: false },
    { who: "who has had an answer", isKnown: true },
  ]) {
    it(`handles nothing that is cancelled by then, of ${who}`, async () => {
      const session = new FakeSession();
      if (isKnown) noteAnswer(session as unknown as Http2Session);
      const cancelled = requestOn(session);
      const other = requestOn(session);
      cancelled.stream.closed = true;
      await nextTurn();
      assert.ok(!cancelled.isHandled);
      assert.ok(other.isHandled);
    });

    it(`handles nothing whose session is about to end, of ${who}`, async () => {
      const session = new FakeSession();
      destroyLate(session as unknown as ServerHttp2Session);
      if (isKnown) noteAnswer(session as unknown as Http2Session);
      const request = requestOn(session);
      session.destroy();
      await nextTurn();
      assert.ok(!request.isHandled);
    });
  }

  it("handles nothing that has lost its session", async () => {
    const request = requestOn(undefined);
    await nextTurn();
    assert.ok(!request.isHandled);
  });
});

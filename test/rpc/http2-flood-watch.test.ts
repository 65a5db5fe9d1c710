import assert from "node:assert/strict";
import { once } from "node:events";
import { constants, createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { createServer as createFront } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { newcomersResetsOf, watchFloods } from "../../src/rpc/http2-flood-watch.js";
import { watchSession } from "../../src/rpc/http2-session-watch.js";
import { destroyLate } from "../../src/rpc/late-destroy.js";
import { handleWhenWanted } from "../../src/rpc/newcomer.js";
import { eventually } from "../helpers/eventually.js";
import { cancelled, frames, openRequests, preface, requestBlock } from "../helpers/http2-frames.js";
import { http2Frame, openRaw, type RawConnection } from "../helpers/raw-http.js";
import { listen } from "../helpers/sockets.js";
import { closed } from "../helpers/timing.js";

interface Watched {
  readonly raw: RawConnection;
  readonly reasons: string[];
  readonly sessions: ServerHttp2Session[];
  /** How many streams were made. */
  streamCount: number;
}

/** A connection with a session that is watched as the API's are, and that its client knows of: 40 resets a minute, 4 before an answer. */
async function watchOne(t: TestContext): Promise<Watched> {
  const server = createServer();
  const watched = { reasons: [] as string[], sessions: [] as ServerHttp2Session[], streamCount: 0 };
  const front = createFront({ noDelay: true }, (socket) => {
    socket.on("error", () => undefined);
    server.once("session", (session) => {
      destroyLate(session);
      watched.sessions.push(session);
      session.on("error", () => undefined);
      session.on("stream", (stream) => {
        watched.streamCount += 1;
        stream.on("error", () => undefined);
      });
      const end = watchSession(session, socket, {
        ...{ firstRequestTimeoutMs: 20_000, http2IdleTimeoutMs: 20_000, http2PingIntervalMs: 20_000 },
      });
      watchFloods(session, socket, {
        ...{ maxHttp2Resets: 40, maxHttp2Pings: 1_000, maxHttp2Settings: 1_000, maxHttp2Bytes: 2 ** 20 },
        requestBytes: 65_536,
        onFlood: (reason) => {
          watched.reasons.push(reason);
          end(constants.NGHTTP2_ENHANCE_YOUR_CALM);
        },
      });
    });
    server.emit("connection", socket);
  });
  const { port } = await listen(t, front);
  const raw = await openRaw(t, port, preface);
  // Its SETTINGS, and the answer to ours.
  await raw.received(String.fromCharCode(0, 0, 0, 4, 1));
  return Object.assign(watched, { raw });
}

const data = (id: number) => http2Frame(0x0, 0, id, Buffer.from("{}"));
/** Requests of which each is whole but for its end. */
const begun = (count: number, firstId: number) =>
  Buffer.concat(
    Array.from({ length: count }, (_, index) => {
      const id = firstId + 2 * index;
      return Buffer.concat([http2Frame(0x1, 0x4, id, requestBlock), data(id)]);
    }),
  );

describe("watchFloods()", () => {
  it("lets a tenth of the resets come before the first answer", () => {
    assert.equal(newcomersResetsOf({ maxHttp2Resets: 200 }), 20);
    assert.equal(newcomersResetsOf({ maxHttp2Resets: 11 }), 2);
    assert.equal(newcomersResetsOf({ maxHttp2Resets: 1 }), 1);
  });

  it(
    "has no streams made of what comes behind a flood, be it in the same bytes",
    { timeout: 20_000 },
    async (t) => {
      const watched = await watchOne(t);
      watched.raw.send(cancelled(1_000));
      await watched.raw.closed();
      assert.deepEqual(watched.reasons, ["http2_resets"]);
      // The fifth reset is one too many, and may be told of only with the next request.
      assert.ok(watched.streamCount <= 6, `${watched.streamCount} streams`);
    },
  );

  for (const { what, behind } of [
    { what: "requests with data", behind: begun(200, 101) },
    { what: "requests without an end", behind: Buffer.concat([cancelled(3, 101), openRequests(60)]) },
    { what: "data of what was cancelled", behind: Buffer.concat([data(1), data(9), data(11), data(101)]) },
    {
      what: "a goodbye, and more",
      behind: Buffer.concat([http2Frame(0x7, 0, 0, Buffer.alloc(8, 1)), begun(20, 101)]),
    },
    {
      what: "PINGs and SETTINGS",
      behind: Buffer.concat([frames.ping, frames.settings, begun(5, 101), frames.ping]),
    },
    { what: "what is no HTTP/2", behind: Buffer.alloc(50_000, 0xff) },
  ]) {
    it(`ends a flood behind which there are ${what}`, { timeout: 20_000 }, async (t) => {
      const watched = await watchOne(t);
      watched.raw.send(Buffer.concat([cancelled(20), behind]));
      await watched.raw.closed();
      assert.deepEqual(watched.reasons, ["http2_resets"]);
      await eventually(() => {
        assert.ok(watched.sessions.every((session) => session.destroyed));
      });
    });
  }

  it("takes nobody for a newcomer who has had an answer", { timeout: 20_000 }, async (t) => {
    const { raw, sessions } = await watchOne(t);
    const [session] = sessions;
    assert.ok(session !== undefined);
    const stream = { session, closed: false } as unknown as ServerHttp2Stream;
    let handled = 0;
    const handleOne = async (): Promise<number> => {
      handled = 0;
      handleWhenWanted(stream, () => (handled += 1));
      await new Promise<void>((resolve) => {
        process.nextTick(resolve);
      });
      return handled;
    };
    assert.equal(await handleOne(), 0);
    session.once("stream", (request: ServerHttp2Stream) => {
      request.respond({ ":status": 204 }, { endStream: true });
    });
    raw.send(http2Frame(0x1, 0x5, 1, requestBlock));
    const [request] = (await once(session, "stream")) as [ServerHttp2Stream];
    await closed(request);
    assert.equal(await handleOne(), 1);
  });

  it("tells who floods to be calm before anything else", { timeout: 20_000 }, async (t) => {
    const watched = await watchOne(t);
    watched.raw.send(cancelled(100));
    const text = await watched.raw.closed();
    const goaway = text.indexOf(String.fromCharCode(0, 0, 8, 7, 0, 0, 0, 0, 0));
    assert.ok(goaway > 0, "there is a GOAWAY");
    assert.equal(text.charCodeAt(goaway + 16), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });
});

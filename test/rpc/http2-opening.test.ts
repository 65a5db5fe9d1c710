import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, constants } from "node:http2";
import { createServer, Socket } from "node:net";
import { describe, it } from "node:test";
import { readArrived } from "../../src/net/byte-reader.js";
import { calmGoodbye, openingResetsOf } from "../../src/rpc/http2-opening.js";
import { cancelled, frames, openRequests, preface, repeated } from "../helpers/http2-frames.js";
import { http2Frame, sessionClosed } from "../helpers/raw-http.js";
import { listen } from "../helpers/sockets.js";

/** A socket of which that was read. */
function socketWith(...pieces: readonly Uint8Array[]): Socket {
  const socket = new Socket();
  for (const piece of pieces) socket.push(piece);
  return socket;
}

describe("openingResetsOf()", () => {
  const one = cancelled(1);
  /** A payload that looks like a reset where one does not know where the frames are. */
  const misleading = http2Frame(0x0, 0, 1, http2Frame(0x3, 0, 1, Buffer.alloc(4)));

  for (const { what, pieces, count } of [
    { what: "nothing but the preface", pieces: [preface], count: 0 },
    { what: "one cancelled request", pieces: [preface, one], count: 1 },
    { what: "hundreds in one piece", pieces: [Buffer.concat([preface, cancelled(500)])], count: 500 },
    { what: "some in each of several pieces", pieces: [preface, cancelled(3), cancelled(4, 7)], count: 7 },
    { what: "requests that nobody cancels", pieces: [preface, openRequests(50)], count: 0 },
    { what: "other frames", pieces: [preface, repeated(frames.ping, 30), frames.settings, one], count: 1 },
    { what: "frames within a frame", pieces: [preface, misleading], count: 0 },
    { what: "a frame that is not whole", pieces: [preface, one, one.subarray(0, -4)], count: 2 },
    { what: "a head that is not whole", pieces: [preface, one.subarray(0, -9)], count: 0 },
    { what: "a frame that is larger than all", pieces: [preface, Buffer.alloc(9, 0xff), one], count: 0 },
    { what: "less than a preface", pieces: [preface.subarray(0, 20)], count: 0 },
    { what: "nothing", pieces: [], count: 0 },
  ]) {
    it(`counts the cancelled requests, and leaves all in the socket: ${what}`, () => {
      const socket = socketWith(...pieces);
      assert.equal(openingResetsOf(socket), count);
      const all = Buffer.concat(pieces);
      assert.equal(socket.readableLength, all.length);
      assert.deepEqual(readArrived(socket), all);
    });
  }
});

describe("calmGoodbye", () => {
  it("is understood as a request to be calm, and no request of the client was looked at", async (t) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.resume().end(calmGoodbye);
    });
    const { port } = await listen(t, server);
    const session = connect(`http://127.0.0.1:${port}`);
    session.on("error", () => undefined);
    const [code, lastStream] = (await once(session, "goaway")) as [number, number];
    assert.equal(code, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    assert.equal(lastStream, 0);
    session.destroy();
    await sessionClosed(session);
  });
});

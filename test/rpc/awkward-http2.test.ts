import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startApi } from "../helpers/api-server.js";
import { createRandom } from "../helpers/random.js";
import { headerBlock, http2Frame, http2Preface, openRaw, sendHttp2 } from "../helpers/raw-http.js";

const io = { timeout: 20_000 };
const known = "/v2ray.core.app.stats.command.StatsService/QueryStats";
const errorCode = Buffer.of(0, 0, 0, 8);

/** HTTP/2 that is right frame by frame, in an order that no client library sends. */
const settings = http2Frame(0x4, 0, 0, Buffer.alloc(0));
const endings: readonly (readonly [name: string, frame: Buffer])[] = [
  ["a reset of the stream", http2Frame(0x3, 0, 1, errorCode)],
  ["a goodbye with an error", http2Frame(0x7, 0, 0, Buffer.concat([Buffer.alloc(4), errorCode]))],
  ["a goodbye", http2Frame(0x7, 0, 0, Buffer.alloc(8))],
  ["a frame of no known type", http2Frame(0xee, 0xff, 1, Buffer.alloc(3))],
  ["a second request on the same stream", http2Frame(0x1, 0x5, 1, Buffer.of(0x82))],
];
const requests: readonly (readonly [name: string, fields: Readonly<Record<string, string>>])[] = [
  ["a call", { ":path": known }],
  ["an unknown method", { ":path": `${known}s` }],
  ["an unknown path", { ":path": "/" }],
  ["a foreign host", { ":path": known, ":authority": "evil.example" }],
  ["a malformed host", { ":path": known, ":authority": "[" }],
  ["a foreign origin", { ":path": known, origin: "https://evil.example" }],
];
const contentTypes = ["application/grpc", "application/grpc-web", "application/json", "text/plain"];

function headersFrame(fields: Readonly<Record<string, string>>, flags: number): Buffer {
  const block = headerBlock({ ":method": "POST", ":scheme": "http", ":authority": "localhost", ...fields });
  return http2Frame(0x1, flags, 1, block);
}

describe("awkward HTTP/2", () => {
  for (const [ending, endFrame] of endings) {
    it(`in one segment with ${ending} ends nothing but itself`, io, async (t) => {
      const api = await startApi(t, { http2PingIntervalMs: 20 });
      for (const [, fields] of requests) {
        for (const contentType of contentTypes) {
          for (const flags of [0x4, 0x5]) {
            const request = headersFrame({ ...fields, "content-type": contentType }, flags);
            const client = await openRaw(
              t,
              api.port,
              Buffer.concat([Buffer.from(http2Preface), settings, request, endFrame]),
            );
            await client.received("\0");
            client.socket.end();
            await client.closed();
          }
        }
      }
      const answer = await sendHttp2(api.port, {
        path: known,
        headers: { "content-type": "application/json" },
        body: "{}",
      });
      assert.equal(answer.status, 200);
    });
  }

  it("of random frames leaves the process alive and every connection closed", io, async (t) => {
    const api = await startApi(t, { http2PingIntervalMs: 20, firstRequestTimeoutMs: 100 });
    const random = createRandom(20);
    for (let round = 0; round < 150; round++) {
      const frames = Array.from({ length: 1 + random.below(6) }, () => {
        const payload =
          random.below(3) === 0
            ? headersFrame({ ":path": known }, 0).subarray(9)
            : random.bytes(random.below(40));
        return http2Frame(random.below(12), random.below(256), random.below(4), payload);
      });
      const client = await openRaw(
        t,
        api.port,
        Buffer.concat([Buffer.from(http2Preface), settings, ...frames]),
      );
      client.socket.end();
      await client.closed();
    }
    const answer = await sendHttp2(api.port, {
      path: known,
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    assert.equal(answer.status, 200);
  });
});

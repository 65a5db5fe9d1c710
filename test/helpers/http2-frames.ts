import { paths } from "./api-server.js";
import { headerBlock, http2Frame, http2Preface } from "./raw-http.js";

/** Frames that a client may send as often as it likes, one by one. */
export const frames = {
  ping: http2Frame(0x6, 0, 0, Buffer.alloc(8)),
  settings: http2Frame(0x4, 0, 0, Buffer.from([0, 3, 0, 0, 0, 100])),
  window: http2Frame(0x8, 0, 0, Buffer.from([0, 0, 0, 1])),
} as const;
/** The head of a call, in JSON. */
export const requestBlock = headerBlock({
  ...{ ":method": "POST", ":scheme": "http", ":path": paths.getSysStats, ":authority": "localhost" },
  "content-type": "application/json",
});
/** With it a connection of HTTP/2 begins. */
export const preface = Buffer.concat([Buffer.from(http2Preface), http2Frame(0x4, 0, 0, Buffer.alloc(0))]);

/** Requests that are cancelled at once, each with two frames. */
export function cancelled(streamCount: number, firstId = 1): Buffer {
  return Buffer.concat(
    Array.from({ length: streamCount }, (_, index) => {
      const id = firstId + 2 * index;
      return Buffer.concat([
        http2Frame(0x1, 0x4, id, requestBlock),
        http2Frame(0x3, 0, id, Buffer.from([0, 0, 0, 8])),
      ]);
    }),
  );
}

/** The same with as few bytes as there can be: all that is in their heads is in HPACK's tables, from the first one on. */
export function cancelledBriefly(streamCount: number, firstId = 1): Buffer {
  const [method, scheme, path] = [0x83, 0x86, 0x84];
  const authority = firstId === 1 ? [0x41, 1, 0x61] : [0xbe];
  return Buffer.concat(
    Array.from({ length: streamCount }, (_, index) => {
      const id = firstId + 2 * index;
      const head = Buffer.of(method, scheme, path, ...(index === 0 ? authority : [0xbe]));
      return Buffer.concat([
        http2Frame(0x1, 0x4, id, head),
        http2Frame(0x3, 0, id, Buffer.from([0, 0, 0, 8])),
      ]);
    }),
  );
}

/** Requests that do not end. */
export function openRequests(streamCount: number): Buffer {
  const requests = Array.from({ length: streamCount }, (_, index) =>
    http2Frame(0x1, 0x4, 1 + 2 * index, requestBlock),
  );
  return Buffer.concat(requests);
}

/** A frame many times over. */
export const repeated = (frame: Buffer, times: number) =>
  Buffer.concat(Array.from({ length: times }, () => frame));

import fc from "fast-check";
import { paths } from "../helpers/api-server.js";
import { envelope, queryStatsRequest } from "../helpers/grpc.js";
import { headerBlock, http2Frame, http2Preface } from "../helpers/raw-http.js";
import { anyBytes, toBytes, toText } from "./byte-text.js";
import { readOnly } from "./fuzzed-api.js";

/*
 * HTTP/2 whose frames are right, each by itself (RFC 9113 §6), and come in any order:
 *
 *   DATA 0 · HEADERS 1 · PRIORITY 2 · RST_STREAM 3 · SETTINGS 4 · PUSH_PROMISE 5 · PING 6 · GOAWAY 7 · WINDOW_UPDATE 8 ·
 *   CONTINUATION 9
 */

const flagOf = { endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

const common = { ":scheme": "http", ":authority": "localhost" };
const resetting = queryStatsRequest({ reset: true });

/** Requests of somebody who may not reset, and bodies that would. */
const blocks = [
  {
    ...common,
    ":method": "POST",
    ":path": paths.queryStats,
    "content-type": "application/json",
    ...readOnly,
  },
  {
    ...common,
    ":method": "POST",
    ":path": paths.queryStats,
    "content-type": "application/grpc",
    ...readOnly,
  },
  { ...common, ":method": "GET", ":path": "/metrics", ...readOnly },
  { ":authority": "localhost", ":method": "CONNECT", ...readOnly },
  // Trailers, and a head in the wrong order.
  { "grpc-status": "0", "x-trailer": "1" },
  { ...readOnly, ...common, ":method": "POST", ":path": paths.queryStats },
].map((fields) => toText(headerBlock(fields)));
const bodies = ['{"reset":true}', toText(resetting), toText(envelope(resetting))];

const streamId = fc.constantFrom(1, 1, 1, 3, 3, 5, 0, 2, 2 ** 31 - 1);
const flags = fc
  .subarray(Object.values(flagOf))
  .map((chosen) => chosen.reduce<number>((all, flag) => all | flag, 0));
const number32 = fc.constantFrom(0, 1, 255, 16_384, 65_535, 2 ** 24 - 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1);

function bytesOf(...values: readonly (readonly [value: number, length: number])[]): string {
  return values.map(([value, length]) => value.toString(16).padStart(length * 2, "0")).join("");
}

function hex(text: string): string {
  return Buffer.from(text, "hex").toString("latin1");
}

/** A header block, or a part of one. */
const block = fc.tuple(fc.constantFrom(...blocks), fc.nat(9_999), fc.nat(9_999)).map(([text, from, to]) => {
  // Mostly the whole of it.
  const [start, end] = from < 6_000 ? [0, 10_000] : [from - 6_000, to];
  return text.slice(Math.floor((start / 10_000) * text.length), Math.ceil((end / 10_000) * text.length));
});

const setting = fc
  .tuple(fc.constantFrom(1, 2, 3, 4, 5, 6, 8, 9, 0xffff), number32)
  .map(([id, value]) => hex(bytesOf([id, 2], [value, 4])));

/** Payloads, by the type of their frame. */
const payloads: readonly (readonly [type: number, payload: fc.Arbitrary<string>])[] = [
  [0, fc.oneof(fc.constantFrom(...bodies), anyBytes(40))],
  [0, fc.constantFrom(...bodies)],
  [1, block],
  [1, fc.constantFrom(...blocks)],
  [2, number32.map((value) => hex(bytesOf([value, 4], [16, 1])))],
  [3, number32.map((value) => hex(bytesOf([value, 4])))],
  [
    4,
    fc.oneof(
      fc.constant(""),
      fc.array(setting, { maxLength: 4 }).map((all) => all.join("")),
    ),
  ],
  [5, fc.tuple(number32, block).map(([value, text]) => hex(bytesOf([value, 4])) + text)],
  [6, fc.oneof(fc.constant("12345678"), anyBytes(10))],
  [
    7,
    fc.tuple(number32, number32).map((values) => hex(bytesOf(...values.map((value) => [value, 4] as const)))),
  ],
  [8, number32.map((value) => hex(bytesOf([value, 4])))],
  [9, block],
  [0xfa, anyBytes(20)],
];

const frame = fc
  .oneof(...payloads.map(([type, payload]) => payload.map((text) => [type, text] as const)))
  .chain(([type, text]) =>
    fc.tuple(flags, streamId).map(([bits, id]) => {
      // What belongs to the connection comes on stream 0, mostly.
      const stream = [4, 6, 7].includes(type) ? (id % 2 === 1 ? 0 : id) : id;
      return toText(http2Frame(type, bits, stream, toBytes(text)));
    }),
  );

/** A call that is right, by somebody who may not reset. */
const call = fc
  .tuple(fc.constantFrom(0, 1), fc.constantFrom(1, 3, 5))
  .map(([kind, id]) =>
    [
      http2Frame(1, flagOf.endHeaders, id, toBytes(blocks[kind] ?? "")),
      http2Frame(0, flagOf.endStream, id, kind === 0 ? toBytes('{"reset":true}') : envelope(resetting)),
    ]
      .map(toText)
      .join(""),
  );

const settings = toText(http2Frame(4, 0, 0, Buffer.alloc(0)));

/** HTTP/2 connections of frames in any order, with calls that are right between them. */
export const frameSequences: fc.Arbitrary<string> = fc
  .array(fc.oneof({ arbitrary: frame, weight: 3 }, { arbitrary: call, weight: 1 }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((frames) => http2Preface + settings + frames.join(""));

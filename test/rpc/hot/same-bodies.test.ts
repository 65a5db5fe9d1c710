import { gzipSync } from "node:zlib";
import { paths } from "../../helpers/api-server.js";
import { envelope, getStatsRequest, queryStatsRequest } from "../../helpers/grpc.js";
import {
  alice,
  connect,
  describeSame,
  envelopedProtocols,
  protocols,
  type BinaryProtocol,
  type SameCase,
} from "../../helpers/same-answers.js";

const path = paths.getStats;
const get = getStatsRequest({ name: alice, reset: true });
const whole = envelope(get);
const maxBytes = 65_536;

/** A message of exactly that many bytes, as long as the bound wants them: a query for what no counter has in its name. */
function queryOf(length: number): Uint8Array {
  const overhead =
    queryStatsRequest({ patterns: ["x".repeat(length - 8)], reset: true }).length - (length - 8);
  return queryStatsRequest({ patterns: ["x".repeat(length - overhead)], reset: true });
}

function lyingEnvelope(message: Uint8Array, length: number): Buffer {
  const bytes = envelope(message);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

function casesOf(
  { protocol, headers }: BinaryProtocol,
  bodies: readonly (Omit<SameCase, "sent"> & Pick<SameCase["sent"], "body" | "isUnended" | "isChunked">)[],
): SameCase[] {
  return bodies.map(({ what, body, isUnended = false, isChunked = false, ...rest }) => ({
    ...rest,
    what: `${what}, ${protocol}`,
    sent: { path, headers, body, isUnended, isChunked },
  }));
}

describeSame(
  "a body in an envelope",
  envelopedProtocols.flatMap((protocol) =>
    casesOf(protocol, [
      { what: "in chunks", body: whole, isChunked: true, isHot: true },
      { what: "two messages", body: Buffer.concat([whole, whole]), isHot: false },
      {
        what: "one and half another's head",
        body: Buffer.concat([whole, whole.subarray(0, 3)]),
        isHot: false,
      },
      { what: "one and half another", body: Buffer.concat([whole, whole.subarray(0, 12)]), isHot: false },
      {
        what: "an empty one and another",
        body: Buffer.concat([envelope(Buffer.alloc(0)), whole]),
        isHot: false,
      },
      { what: "nothing", body: Buffer.alloc(0), isHot: false },
      { what: "an envelope around nothing", body: envelope(Buffer.alloc(0)), isHot: true },
      { what: "half a head", body: whole.subarray(0, 3), isHot: false },
      { what: "a head alone", body: whole.subarray(0, 5), isHot: false },
      { what: "all but the last byte", body: whole.subarray(0, -1), isHot: false },
      { what: "a byte too many", body: Buffer.concat([whole, Buffer.from([0])]), isHot: false },
      { what: "a length that is too small", body: lyingEnvelope(get, get.length - 1), isHot: false },
      { what: "a length that is too large", body: lyingEnvelope(get, get.length + 1), isHot: false },
      { what: "a length of 4 GiB", body: lyingEnvelope(get, 0xffff_ffff), isHot: false },
      {
        what: "a length of 4 GiB, and more to come",
        body: lyingEnvelope(get, 0xffff_ffff),
        isUnended: true,
        isHot: false,
      },
      {
        what: "a length beyond the bound, and more to come",
        body: lyingEnvelope(get, maxBytes + 1).subarray(0, 5),
        isUnended: true,
        isHot: false,
      },
      { what: "compressed without an encoding", body: envelope(get, 1), isHot: false },
      {
        what: "compressed without an encoding, and more to come",
        body: envelope(get, 1),
        isUnended: true,
        isHot: false,
      },
      ...[2, 0x80, 0xff].flatMap((flags) => [
        { what: `flags ${flags}`, body: envelope(get, flags), isHot: false },
        {
          what: `a message and another with flags ${flags}`,
          body: Buffer.concat([whole, envelope(get, flags)]),
          isHot: false,
        },
      ]),
      {
        what: "a message and a trailer frame",
        body: Buffer.concat([whole, envelope(Buffer.from("a: b\r\n"), 0x80)]),
        isHot: false,
      },
      { what: "no protobuf", body: envelope(Buffer.from([0xff, 0xff, 0xff])), isHot: false },
      { what: "half a protobuf", body: envelope(get.subarray(0, -1)), isHot: false },
      {
        what: "a name that is no UTF-8",
        body: envelope(Buffer.from([0x0a, 0x02, 0xc3, 0x28])),
        isHot: false,
      },
      {
        what: "no protobuf, and more to come",
        body: envelope(Buffer.from([0xff, 0xff, 0xff])),
        isUnended: true,
        isHot: false,
      },
      {
        what: "a name that is no UTF-8, and more to come",
        body: envelope(Buffer.from([0x0a, 0x02, 0xc3, 0x28])),
        isUnended: true,
        isHot: false,
      },
      {
        what: "two messages, and more to come",
        body: Buffer.concat([whole, whole]),
        isUnended: true,
        isHot: false,
      },
    ]),
  ),
);

describeSame(
  "a bare body",
  casesOf(connect, [
    { what: "in chunks", body: get, isChunked: true, isHot: true },
    { what: "nothing", body: Buffer.alloc(0), isHot: true },
    { what: "no protobuf", body: Buffer.from([0xff, 0xff, 0xff]), isHot: false },
    { what: "half a protobuf", body: get.subarray(0, -1), isHot: false },
    { what: "a name that is no UTF-8", body: Buffer.from([0x0a, 0x02, 0xc3, 0x28]), isHot: false },
    { what: "a message in an envelope", body: whole, isHot: false },
  ]),
);

const queryPath = paths.queryStats;

describeSame(
  "a message's length",
  protocols.flatMap(({ protocol, headers, wrap }) =>
    [
      { what: "the most", length: maxBytes, isHot: true },
      { what: "one less than the most", length: maxBytes - 1, isHot: true },
      { what: "one too many", length: maxBytes + 1, isHot: false },
      { what: "five too many", length: maxBytes + 5, isHot: false },
      { what: "six too many", length: maxBytes + 6, isHot: false },
      { what: "a megabyte", length: 1_000_000, isHot: false },
    ].flatMap(({ what, length, isHot }) => [
      {
        what: `${what}, ${protocol}`,
        sent: { path: queryPath, headers, body: wrap(queryOf(length)) },
        isHot,
      },
      {
        what: `${what}, in chunks, ${protocol}`,
        sent: { path: queryPath, headers, body: wrap(queryOf(length)), isChunked: true },
        isHot,
      },
      ...(isHot
        ? []
        : [
            {
              what: `${what}, and more to come, ${protocol}`,
              sent: { path: queryPath, headers, body: wrap(queryOf(length)), isUnended: true },
              isHot,
            },
          ]),
    ]),
  ),
);

describeSame(
  "another bound of a message's length",
  protocols.flatMap(({ protocol, headers, wrap }) =>
    [
      { what: "the most", length: 100, isHot: true },
      { what: "one too many", length: 101, isHot: false },
    ].map(({ what, length, isHot }) => ({
      what: `${what}, ${protocol}`,
      sent: { path: queryPath, headers, body: wrap(queryOf(length)) },
      limits: { maxRequestBytes: 100 },
      isHot,
    })),
  ),
);

describeSame(
  "a compressed request",
  protocols.flatMap(({ protocol, headers, encodingHeader }) =>
    [
      { encoding: "gzip", message: gzipSync(get), flags: 1, isHot: false },
      { encoding: "gzip", message: gzipSync(Buffer.alloc(maxBytes + 1)), flags: 1, isHot: false },
      { encoding: "gzip", message: get, flags: 0, isHot: false },
      { encoding: "identity", message: get, flags: 0, isHot: true },
      { encoding: "br", message: get, flags: 0, isHot: false },
      { encoding: "br", message: get, flags: 1, isHot: false },
      { encoding: "", message: get, flags: 0, isHot: false },
    ].map(({ encoding, message, flags, isHot }, index) => ({
      what: `${JSON.stringify(encoding)} (${index}), ${protocol}`,
      sent: {
        path,
        headers: { ...headers, [encodingHeader]: encoding },
        body: protocol === "Connect" ? message : envelope(message, flags),
      },
      isHot,
    })),
  ),
);

describeSame(
  "a length that is promised",
  [
    {
      what: "more than the bound, and more to come",
      promised: `${maxBytes + 1}`,
      body: get,
      isUnended: true,
      isHot: false,
    },
    { what: "with zeros before it", promised: `00${get.length}`, body: get, isUnended: false, isHot: false },
    { what: "as it is", promised: `${get.length}`, body: get, isUnended: false, isHot: true },
  ].map(({ what, promised, body, isUnended, isHot }) => ({
    what,
    sent: { path, headers: { ...connect.headers, "content-length": promised }, body, isUnended },
    isHot,
  })),
);

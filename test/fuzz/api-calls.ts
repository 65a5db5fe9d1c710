import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { serviceNames } from "../helpers/api-client.js";
import { envelope, getStatsRequest, queryStatsRequest } from "../helpers/grpc.js";
import { counterName } from "./api-requests.js";
import { anyBytes, mutated, toBytes, toText } from "./byte-text.js";

/** A call that may be made of anything, as a text: one character a byte. */
export interface FuzzedCall {
  readonly version: "HTTP/1.1" | "HTTP/2";
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const methods = ["GetStats", "QueryStats", "GetSysStats", "GetUsersStats", "GetStatsOnline"];
const callPath = fc
  .tuple(fc.constantFrom(...serviceNames), fc.constantFrom(...methods))
  .map((names) => `/${names.join("/")}`);
const version = fc.constantFrom("HTTP/1.1" as const, "HTTP/2" as const);

/** What belongs into a header, and nothing on which a client of Node's itself would stumble. */
function headerText(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return texts.map((text) => text.replaceAll(/[^\x20-\x7e]/g, "").trim());
}

const messages = [
  getStatsRequest({ name: counterName, reset: true }),
  queryStatsRequest({ patterns: [""], reset: true }),
  queryStatsRequest({ patterns: ["(a?){50}a{50}"], regexp: true }),
  Buffer.from('{"reset":true}'),
].map(toText);
const compressed = messages.map((text) => toText(gzipSync(toBytes(text))));
const bomb = toText(gzipSync(Buffer.alloc(1_000_000)));

/** An envelope, whose head need not be right. */
const anEnvelope = fc
  .record({
    flags: fc.constantFrom(0, 0, 0, 1, 1, 2, 3, 0x80, 0x81, 0xff),
    data: fc.oneof(
      mutated(fc.constantFrom(...messages)),
      mutated(fc.constantFrom(...compressed)),
      fc.constant(bomb),
      anyBytes(40),
    ),
    length: fc.option(fc.constantFrom(0, 1, 100, 65_536, 65_537, 2 ** 31 - 1, 2 ** 32 - 1), {
      nil: undefined,
      freq: 3,
    }),
  })
  .map(({ flags, data, length }) => {
    const bytes = envelope(toBytes(data), flags);
    if (length !== undefined) bytes.writeUInt32BE(length, 1);
    return toText(bytes);
  });

const envelopeTypes = [
  ...["application/grpc", "application/grpc+proto", "application/grpc+json", "application/grpc-web"],
  ...[
    "application/grpc-web+json",
    "application/grpc-web-text",
    "application/connect+json",
    "application/connect+proto",
  ],
];
const encodings = fc.constantFrom("identity", "gzip", "gzip", "br", "", "gzip, gzip");

/** Calls whose bodies are envelopes: none, one or several. */
export const envelopeCalls: fc.Arbitrary<FuzzedCall> = fc
  .record({
    version,
    path: callPath,
    type: fc.constantFrom(...envelopeTypes),
    encoding: encodings,
    envelopes: fc.array(anEnvelope, { maxLength: 3 }),
  })
  .map(({ type, encoding, envelopes, ...call }) => {
    const body = envelopes.join("");
    const isText = type.endsWith("text");
    return {
      ...call,
      method: "POST",
      headers: { "content-type": type, "grpc-encoding": encoding, "connect-content-encoding": encoding },
      body: isText ? toBytes(body).toString("base64") : body,
    };
  });

const key = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      ...["name", "reset", "reset", "patterns", "pattern", "regexp", "includeTraffic", "include_traffic"],
      ...["__proto__", "constructor", "toString", ""],
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 5 }) },
);
const value = fc.oneof(
  fc.constantFrom(
    "true",
    "true",
    "false",
    "null",
    '""',
    '"true"',
    '["","a"]',
    '{"reset":true}',
    "[[]]",
    "[null]",
  ),
  fc.constantFrom(
    "1e999",
    "-0",
    "01",
    "NaN",
    '"\\ud800"',
    '"\\u0000"',
    "18446744073709551616",
    '["("]',
    '["(a*)*"]',
  ),
  fc.nat(5_000).map((depth) => "[".repeat(depth) + "]".repeat(depth)),
  fc.nat(5_000).map((depth) => '{"reset":'.repeat(depth)),
  fc.jsonValue({ maxDepth: 3 }).map((json) => JSON.stringify(json)),
);
const jsonText = fc
  .array(fc.tuple(key, value), { maxLength: 5 })
  .map((pairs) => `{${pairs.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`);

/** Calls whose bodies are JSON, or nearly. */
export const jsonCalls: fc.Arbitrary<FuzzedCall> = fc.record({
  version,
  method: fc.constant("POST"),
  path: callPath,
  headers: fc.constant({ "content-type": "application/json" }),
  body: mutated(jsonText, { max: 2 }),
});

const contentType = headerText(
  mutated(
    fc.constantFrom(
      ...[
        ...envelopeTypes,
        "application/json",
        "application/proto",
        "text/plain",
        "multipart/form-data; boundary=x",
      ],
      ...[
        "application/json; charset=utf-8",
        "application/json; charset=utf-16",
        "application/json, application/proto",
      ],
    ),
  ),
);
const others: readonly (readonly [name: string, values: readonly string[]])[] = [
  ["content-encoding", ["gzip", "identity", "br", "gzip, gzip", "deflate"]],
  ["accept-encoding", ["gzip", "*;q=0", "identity;q=0"]],
  ["grpc-accept-encoding", ["gzip", "identity,deflate,gzip"]],
  ["te", ["trailers", "gzip"]],
  ["grpc-timeout", ["1S", "1n", "99999999H", "-1S", "1.5S"]],
  ["connect-timeout-ms", ["1", "1000", "0", "9999999999", "-1", "1e3"]],
  ["connect-protocol-version", ["1", "2"]],
  ["expect", ["100-continue", "200-ok"]],
  ["x-http-method-override", ["POST", "PUT"]],
  ["sec-fetch-site", ["cross-site", "none"]],
];
const otherHeaders = fc
  .tuple(
    ...others.map(([name, values]) =>
      fc
        .option(headerText(mutated(fc.constantFrom(...values), { max: 2 })), { nil: undefined, freq: 1 })
        .map((text): Record<string, string> => (text === undefined ? {} : { [name]: text })),
    ),
  )
  .map((headers): Record<string, string> => Object.assign({}, ...headers) as Record<string, string>);

/** Resets whose headers are mistaken, beginning with the type of what they send. */
export const typedCalls: fc.Arbitrary<FuzzedCall> = fc
  .record({
    version,
    method: fc.constantFrom("POST", "POST", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"),
    path: callPath,
    type: contentType,
    headers: otherHeaders,
    body: fc.constantFrom(
      ...messages,
      ...compressed,
      ...messages.map((text) => toText(envelope(toBytes(text)))),
    ),
  })
  .map(({ type, headers, ...call }) => ({ ...call, headers: { "content-type": type, ...headers } }));

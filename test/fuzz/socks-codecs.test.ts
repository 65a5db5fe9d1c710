import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { readParsed, type Parser, type ParseResult } from "../../src/net/byte-reader.js";
import { parseSocks4Request } from "../../src/proxy/socks/socks4.js";
import { parseLoginAnswer, parseMethodChoice, parseReply } from "../../src/proxy/socks/socks5-client.js";
import { parseGreeting, parseLogin, parseRequest } from "../../src/proxy/socks/socks5.js";
import { socks4Request } from "../helpers/socks4-client.js";
import { socks5Greeting, socks5Login, socks5Request } from "../helpers/socks5-client.js";
import { socks5Reply } from "../helpers/socks5-upstream.js";
import { turns } from "../helpers/timing.js";
import { anyBytes, mutated, toBytes, toText } from "./byte-text.js";
import { fuzz, fuzzLimits } from "./fuzz.js";

const parsers = {
  greeting: parseGreeting,
  login: parseLogin,
  request: parseRequest,
  methodChoice: parseMethodChoice,
  loginAnswer: parseLoginAnswer,
  reply: parseReply,
  socks4: parseSocks4Request,
} satisfies Readonly<Record<string, Parser<unknown>>>;
type ParserName = keyof typeof parsers;

/** Longer than any message: a parser that wants more than that wants without bound. */
const enoughBytes = 1_000;

const parserName = fc.constantFrom<ParserName>(
  ...(["greeting", "login", "request", "methodChoice", "loginAnswer", "reply", "socks4"] as const),
);
const hostName = fc.stringMatching(/^[a-z0-9.-]{1,255}$/);
const port = fc.integer({ min: 0, max: 65_535 });
const credential = fc
  .string({ unit: "grapheme", maxLength: 60 })
  .filter((text) => Buffer.byteLength(text) < 256);
/** As our library of addresses writes them. */
const ipv6 = fc.ipV6().map((address) => ipaddr.parse(address).toString());

/** A message, and what a parser must make of it. */
interface Message {
  readonly parser: ParserName;
  readonly bytes: string;
  readonly value: unknown;
}

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 255 }).map((methods) => ({
    parser: "greeting" as const,
    bytes: toText(socks5Greeting(...methods)),
    value: methods,
  })),
  fc.tuple(credential, credential).map(([username, password]) => ({
    parser: "login" as const,
    bytes: toText(socks5Login(username, password)),
    value: { username, password },
  })),
  fc.record({ host: fc.oneof(hostName, fc.ipV4(), ipv6), port }).map((destination) => ({
    parser: "request" as const,
    bytes: toText(socks5Request(destination)),
    value: { kind: "connect", destination },
  })),
  fc.record({ host: fc.oneof(hostName, fc.ipV4(), ipv6), port }).map((expected) => ({
    parser: "request" as const,
    bytes: toText(socks5Request(expected, 3)),
    value: { kind: "associate", expected },
  })),
  fc.nat(255).map((method) => ({
    parser: "methodChoice" as const,
    bytes: toText(Buffer.of(5, method)),
    value: method,
  })),
  fc.nat(255).map((status) => ({
    parser: "loginAnswer" as const,
    bytes: toText(Buffer.of(1, status)),
    value: status === 0,
  })),
  fc.record({ host: fc.oneof(hostName, fc.ipV4(), ipv6), port }).map((boundTo) => ({
    parser: "reply" as const,
    bytes: toText(socks5Reply(0, boundTo)),
    value: { kind: "succeeded", boundTo },
  })),
  fc
    .record({
      host: fc.oneof(hostName, fc.ipV4()),
      port,
      userId: fc.string({ unit: "grapheme-ascii", maxLength: 255 }),
    })
    .filter(({ host }) => !/^0\.0\.0\.[1-9]/.test(host))
    .map(({ userId, ...destination }) => ({
      parser: "socks4" as const,
      bytes: toText(socks4Request(destination, { userId })),
      value: { kind: "connect", destination },
    })),
);

const bytes = fc.oneof(
  anyBytes(600),
  mutated(
    message.map((valid) => valid.bytes),
    { min: 1 },
  ),
);

/** What a parser says of bytes, without what it is free to choose: a refusal takes whatever has come. */
function verdict(result: ParseResult<unknown>): unknown {
  if (result.kind !== "done" || !isRefusal(result.value)) return result;
  return { kind: "refused", value: result.value };
}

function isRefusal(value: unknown): boolean {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "refused";
}

/** Reads a message that comes in those pieces; with what is left in the stream. */
async function readPieces<T>(
  parse: Parser<T>,
  pieces: readonly Buffer[],
): Promise<{ readonly value: T; readonly rest: string }> {
  const stream = new PassThrough();
  const reading = readParsed(stream, parse);
  for (const piece of pieces) {
    stream.write(piece);
    await turns(1);
  }
  stream.end();
  const value = await reading;
  const rest: Buffer[] = [];
  for await (const chunk of stream) rest.push(chunk as Buffer);
  return { value, rest: toText(Buffer.concat(rest)) };
}

describe("the parsers of SOCKS messages", () => {
  it("decide, without an exception, within a bounded number of bytes", fuzzLimits, async () => {
    await fuzz({
      name: "socks-bounded",
      inputs: fc.record({ parser: parserName, bytes }),
      holds: ({ parser, bytes: text }) => {
        const parse: Parser<unknown> = parsers[parser];
        const result = parse(toBytes(text));
        if (result.kind === "done") assert.ok(result.length >= 0 && result.length <= text.length);
        const filler = Buffer.alloc(enoughBytes - Math.min(enoughBytes, text.length), 0x61);
        const full = Buffer.concat([toBytes(text), filler]);
        assert.notEqual(parse(full).kind, "more", `after ${full.length} bytes`);
      },
    });
  });

  it("say the same of every longer input as of a prefix that was enough", fuzzLimits, async () => {
    await fuzz({
      name: "socks-prefix",
      inputs: fc.record({ parser: parserName, bytes }),
      holds: ({ parser, bytes: text }) => {
        const parse: Parser<unknown> = parsers[parser];
        const results = Array.from({ length: text.length + 1 }, (_, length) => {
          return parse(toBytes(text.slice(0, length)));
        });
        const first = results.findIndex(({ kind }) => kind !== "more");
        const decided = first < 0 ? [] : results.slice(first);
        const [earliest, ...later] = decided.map(verdict);
        for (const [index, result] of later.entries()) {
          assert.deepEqual(result, earliest, `${first + index + 1} bytes against ${first}`);
        }
      },
    });
  });

  it("read back what a client wrote, cut anywhere, and leave what follows", fuzzLimits, async () => {
    await fuzz({
      name: "socks-round-trip",
      inputs: fc.record({ message, early: anyBytes(40) }),
      holds: async ({ message: { parser, bytes: text, value }, early }) => {
        const parse: Parser<unknown> = parsers[parser];
        const whole = toBytes(text + early);
        const expected = { value, rest: early };
        for (let cut = 1; cut < whole.length; cut++) {
          const pieces = [whole.subarray(0, cut), whole.subarray(cut)];
          assert.deepEqual(await readPieces(parse, pieces), expected, `cut at ${cut}`);
        }
        const bytewise = Array.from(whole, (byte) => Buffer.of(byte));
        assert.deepEqual(await readPieces(parse, bytewise), expected, "byte by byte");
      },
    });
  });
});

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { startCountedProxy } from "../../helpers/counted-proxy.js";
import { readAnswers, requestHead, statusOf } from "../../helpers/http-messages.js";
import { openRaw } from "../../helpers/raw-http.js";
import { startRawOrigin, type RawOrigin } from "../../helpers/raw-origin.js";

const io = { timeout: 10_000 };

/** Where the requests go; replaced by the address of the origin. */
const url = "http://ORIGIN/first";
const host = "Host: ORIGIN";
const post = `POST ${url} HTTP/1.1\r\n${host}\r\n`;
/** Five bytes that are a body of that length, and a whole body in chunks. */
const ambiguousBody = "0\r\n\r\n";

interface Heard {
  readonly origin: RawOrigin;
  /** Everything that the client heard, until the proxy closed. */
  readonly heard: string;
}

/** Sends the bytes, and a request behind them that must not be taken for one. */
async function smuggle(t: TestContext, bytes: string): Promise<Heard> {
  const proxy = await startCountedProxy(t);
  const origin = await startRawOrigin(t);
  const text = (bytes + requestHead("GET", "http://ORIGIN/smuggled")).replaceAll("ORIGIN", origin.host);
  const client = await openRaw(t, proxy.endpoint.port, Buffer.from(text, "latin1"));
  // So that it comes to an end even if it is not refused.
  client.socket.end();
  return { origin, heard: await client.closed() };
}

/** What the client heard is one refusal, the last word, and the origin was asked nothing whole. */
function assertRefused({ origin, heard }: Heard): void {
  assert.match(heard, /^HTTP\/1\.1 (4\d\d|501) .*\r\n(.+\r\n)*Connection: close\r\n/);
  assert.equal(heard.match(/^HTTP\/1\.1 /gm)?.length, 1, heard);
  assert.deepEqual(origin.requests, []);
  assert.doesNotMatch(origin.connections.map(({ text }) => text).join(""), /smuggled/);
}

describe("a request that two servers could take for different ones is refused", () => {
  const framings: readonly (readonly [title: string, ...headers: string[]])[] = [
    ["two lengths that are equal", "Content-Length: 5", "Content-Length: 5"],
    ["two lengths that differ", "Content-Length: 5", "Content-Length: 6"],
    ["two lengths in odd case", "content-LENGTH: 5", "CONTENT-length: 5"],
    ["a list of equal lengths", "Content-Length: 5, 5"],
    ["a list of lengths that differ", "Content-Length: 5,6"],
    ["a length with a plus", "Content-Length: +5"],
    ["a length with a minus", "Content-Length: -5"],
    ["a length in hex", "Content-Length: 0x5"],
    ["a length with a blank in it", "Content-Length: 5 5"],
    ["an empty length", "Content-Length:"],
    ["a length beyond 64 bits", "Content-Length: 18446744073709551621"],
    ["a length before an encoding", "Content-Length: 5", "Transfer-Encoding: chunked"],
    ["a length behind an encoding", "Transfer-Encoding: chunked", "Content-Length: 5"],
    ["a length beside an encoding that is none", "Transfer-Encoding: identity", "Content-Length: 5"],
    ["a length beside an empty encoding", "Transfer-Encoding:", "Content-Length: 5"],
    ["xchunked", "Transfer-Encoding: xchunked"],
    ["chunkedx", "Transfer-Encoding: chunkedx"],
    ["chunked, identity", "Transfer-Encoding: chunked, identity"],
    ["identity, chunked", "Transfer-Encoding: identity, chunked"],
    ["chunked, chunked", "Transfer-Encoding: chunked, chunked"],
    ["gzip, chunked", "Transfer-Encoding: gzip, chunked"],
    ["a comma and chunked", "Transfer-Encoding: ,chunked"],
    ["chunked and a comma", "Transfer-Encoding: chunked,"],
    ["chunked with a parameter", "Transfer-Encoding: chunked;q=1"],
    ["chunked in quotes", 'Transfer-Encoding: "chunked"'],
    ["identity", "Transfer-Encoding: identity"],
    ["an empty encoding", "Transfer-Encoding:"],
    ["chunked twice", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    ["chunked and identity", "Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    ["identity and chunked", "Transfer-Encoding: identity", "Transfer-Encoding: chunked"],
    ["chunked behind a vertical tab", "Transfer-Encoding: \vchunked"],
    ["chunked before a form feed", "Transfer-Encoding: chunked\f"],
    ["chunked before a byte beyond ASCII", "Transfer-Encoding: chunked\xa0"],
    ["chunked before a tab", "Transfer-Encoding: chunked\t"],
    ["an encoding before a blank", "Transfer-Encoding : chunked"],
    ["an encoding before a tab", "Transfer-Encoding\t: chunked"],
    ["an encoding behind a vertical tab", "\vTransfer-Encoding: chunked"],
    ["a length before a blank", "Content-Length : 5"],
    ["a folded encoding", "Transfer-Encoding:\r\n chunked"],
  ];
  for (const [title, ...headers] of framings) {
    it(`for its framing: ${title}`, io, async (t) => {
      assertRefused(await smuggle(t, `${post}${headers.join("\r\n")}\r\n\r\n${ambiguousBody}`));
    });
  }

  const versions: readonly (readonly [title: string, version: string, header: string])[] = [
    ["chunks in HTTP/1.0", "HTTP/1.0", "Transfer-Encoding: chunked"],
    [
      "chunks in HTTP/1.0 with keep-alive",
      "HTTP/1.0",
      "Connection: keep-alive\r\nTransfer-Encoding: chunked",
    ],
    ["chunks in HTTP/0.9", "HTTP/0.9", "Transfer-Encoding: chunked"],
    ["chunks in HTTP/2.0", "HTTP/2.0", "Transfer-Encoding: chunked"],
    ["HTTP/2.0", "HTTP/2.0", "Content-Length: 5"],
    ["HTTP/0.9", "HTTP/0.9", "Content-Length: 5"],
    ["HTTP/1.2", "HTTP/1.2", "Content-Length: 5"],
    ["HTTP/1.10", "HTTP/1.10", "Content-Length: 5"],
    ["http/1.1", "http/1.1", "Content-Length: 5"],
    ["no version", "", "Content-Length: 5"],
  ];
  for (const [title, version, header] of versions) {
    it(`for its version: ${title}`, io, async (t) => {
      const line = `POST ${url} ${version}`.trimEnd();
      assertRefused(await smuggle(t, `${line}\r\n${host}\r\n${header}\r\n\r\n${ambiguousBody}`));
    });
  }

  const heads: readonly (readonly [title: string, head: string])[] = [
    ["bare line feeds", `GET ${url} HTTP/1.1\n${host}\n\n`],
    ["a bare line feed behind the request line", `GET ${url} HTTP/1.1\n${host}\r\n\r\n`],
    ["a bare line feed behind a header", `GET ${url} HTTP/1.1\r\n${host}\nX: y\r\n\r\n`],
    ["a bare line feed at the end", `GET ${url} HTTP/1.1\r\n${host}\r\n\n`],
    ["a bare line feed before the end", `GET ${url} HTTP/1.1\r\n${host}\n\r\n`],
    ["a bare carriage return behind the request line", `GET ${url} HTTP/1.1\r${host}\r\n\r\n`],
    ["a bare carriage return behind a header", `GET ${url} HTTP/1.1\r\n${host}\rX: y\r\n\r\n`],
    ["a bare carriage return in a header", `GET ${url} HTTP/1.1\r\n${host}\r\nX: a\rb\r\n\r\n`],
    ["two carriage returns", `GET ${url} HTTP/1.1\r\n${host}\r\r\n\r\n`],
    ["two carriage returns at the end", `GET ${url} HTTP/1.1\r\n${host}\r\n\r\r\n`],
    ["a header folded with a blank", `GET ${url} HTTP/1.1\r\n${host}\r\nX: a\r\n b\r\n\r\n`],
    ["a header folded with a tab", `GET ${url} HTTP/1.1\r\n${host}\r\nX: a\r\n\tb\r\n\r\n`],
    ["a header folded to nothing", `GET ${url} HTTP/1.1\r\n${host}\r\nX:\r\n \r\n\r\n`],
    ["a first header with a blank before it", `GET ${url} HTTP/1.1\r\n X: y\r\n${host}\r\n\r\n`],
    ["a zero byte in a value", `GET ${url} HTTP/1.1\r\n${host}\r\nX: a\0b\r\n\r\n`],
    ["a zero byte in a name", `GET ${url} HTTP/1.1\r\n${host}\r\nX\0: a\r\n\r\n`],
    ["a zero byte in the target", `GET ${url}\0 HTTP/1.1\r\n${host}\r\n\r\n`],
    ["a control character in a value", `GET ${url} HTTP/1.1\r\n${host}\r\nX: a\x01b\r\n\r\n`],
    ["a DEL in a value", `GET ${url} HTTP/1.1\r\n${host}\r\nX: a\x7fb\r\n\r\n`],
    ["a header without a name", `GET ${url} HTTP/1.1\r\n${host}\r\n: a\r\n\r\n`],
    ["a header without a colon", `GET ${url} HTTP/1.1\r\n${host}\r\nX\r\n\r\n`],
    ["a name with a bracket", `GET ${url} HTTP/1.1\r\n${host}\r\nX(y): z\r\n\r\n`],
    ["a tab in the request line", `GET\t${url}\tHTTP/1.1\r\n${host}\r\n\r\n`],
    ["a blank behind the version", `GET ${url} HTTP/1.1 \r\n${host}\r\n\r\n`],
    ["a byte beyond ASCII in the target", `GET ${url}\xe4 HTTP/1.1\r\n${host}\r\n\r\n`],
    ["an unknown method", `GETS ${url} HTTP/1.1\r\n${host}\r\n\r\n`],
    ["two Hosts", `GET ${url} HTTP/1.1\r\n${host}\r\nHost: b\r\n\r\n`],
    ["twice the same Host", `GET ${url} HTTP/1.1\r\n${host}\r\nhOST: ORIGIN\r\n\r\n`],
    [
      "two Hosts of which Connection names one",
      `GET ${url} HTTP/1.1\r\n${host}\r\n${host}\r\nConnection: host\r\n\r\n`,
    ],
    ["no Host", `GET ${url} HTTP/1.1\r\nX: y\r\n\r\n`],
    ["no header at all", `GET ${url} HTTP/1.1\r\n\r\n`],
  ];
  for (const [title, head] of heads) {
    it(`for its head: ${title}`, io, async (t) => {
      assertRefused(await smuggle(t, head));
    });
  }

  const bodies: readonly (readonly [title: string, body: string])[] = [
    ["a size with junk", "1x\r\na\r\n0\r\n\r\n"],
    ["a size in C's hex", "0x1\r\na\r\n0\r\n\r\n"],
    ["a size with a plus", "+1\r\na\r\n0\r\n\r\n"],
    ["a size with a minus", "-1\r\na\r\n0\r\n\r\n"],
    ["a size of 65 bits", "10000000000000001\r\na\r\n0\r\n\r\n"],
    ["a size of 68 bits", "fffffffffffffffff\r\na\r\n0\r\n\r\n"],
    ["no size", "\r\na\r\n0\r\n\r\n"],
    ["a blank behind a size", "1 \r\na\r\n0\r\n\r\n"],
    ["a blank before a size", " 1\r\na\r\n0\r\n\r\n"],
    ["a tab behind a size", "1\t\r\na\r\n0\r\n\r\n"],
    ["a bare line feed in an extension", "1;a\nb\r\na\r\n0\r\n\r\n"],
    ["a bare line feed behind an extension", "2;\nxx\r\n4c\r\n0\r\n\r\n"],
    ["a bare line feed in quotes", '1;a="b\nc"\r\na\r\n0\r\n\r\n'],
    ["a bare carriage return in an extension", "1;a\rb\r\na\r\n0\r\n\r\n"],
    ["a zero byte in an extension", "1;a\0b\r\na\r\n0\r\n\r\n"],
    ["an extension of 20,000 bytes", `1;${"a".repeat(20_000)}\r\na\r\n0\r\n\r\n`],
    ["a bare line feed behind a size", "1\na\r\n0\r\n\r\n"],
    ["a bare carriage return behind a size", "1\ra\r\n0\r\n\r\n"],
    ["two carriage returns behind a size", "1\r\r\na\r\n0\r\n\r\n"],
    ["a bare line feed behind a chunk", "1\r\na\n0\r\n\r\n"],
    ["something else than an end behind a chunk", "1\r\naXX0\r\n\r\n"],
    ["half an end behind a chunk", "1\r\na\rX0\r\n\r\n"],
    ["no end behind a chunk", "1\r\na0\r\n\r\n"],
    ["a chunk that is longer than its size", "1\r\nab\r\n0\r\n\r\n"],
    ["a bare line feed behind the last size", "1\r\na\r\n0\n\r\n"],
    ["a bare line feed at the end", "1\r\na\r\n0\r\n\n"],
    ["a bare line feed behind a trailer", "1\r\na\r\n0\r\nX: y\n\r\n"],
    ["a folded trailer", "1\r\na\r\n0\r\nX: y\r\n z\r\n\r\n"],
    ["a trailer without a colon", "1\r\na\r\n0\r\nno colon\r\n\r\n"],
    ["a zero byte in a trailer", "1\r\na\r\n0\r\nX: \0\r\n\r\n"],
    ["trailers beyond 64 KiB", `1\r\na\r\n0\r\nX: ${"y".repeat(70_000)}\r\n\r\n`],
  ];
  for (const [title, body] of bodies) {
    it(`for its chunks: ${title}`, io, async (t) => {
      assertRefused(await smuggle(t, `${post}Transfer-Encoding: chunked\r\n\r\n${body}`));
    });
  }
});

describe("a request that is only odd", () => {
  const odd: readonly (readonly [title: string, sent: string, headers: readonly string[], body: string])[] = [
    [
      "Content-Length with zeros",
      `${post}Content-Length: 0005\r\n\r\nhello`,
      ["Content-Length: 0005"],
      "hello",
    ],
    [
      "CHUNKED",
      `${post}Transfer-Encoding: CHUNKED\r\n\r\n1\r\na\r\n0\r\n\r\n`,
      ["Transfer-Encoding: chunked"],
      "a",
    ],
    [
      "blanks around chunked",
      `${post}Transfer-Encoding:  chunked  \r\n\r\n1\r\na\r\n0\r\n\r\n`,
      ["Transfer-Encoding: chunked"],
      "a",
    ],
    [
      "a size with zeros",
      `${post}Transfer-Encoding: chunked\r\n\r\n0000000000000000000001\r\na\r\n0\r\n\r\n`,
      ["Transfer-Encoding: chunked"],
      "a",
    ],
    [
      "chunk extensions",
      `${post}Transfer-Encoding: chunked\r\n\r\n1;a="b;c";d\r\na\r\n0;e=f\r\n\r\n`,
      ["Transfer-Encoding: chunked"],
      "a",
    ],
    [
      "trailers that would frame it",
      `${post}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Content-Length: 5\r\nHost: b\r\n\r\n`,
      ["Transfer-Encoding: chunked"],
      "a",
    ],
    [
      "Connection: content-length",
      `${post}Connection: content-length\r\nContent-Length: 1\r\n\r\na`,
      ["Content-Length: 1"],
      "a",
    ],
    [
      "Connection: transfer-encoding",
      `${post}Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`,
      ["Transfer-Encoding: chunked"],
      "a",
    ],
    ["Connection: host", `GET ${url} HTTP/1.1\r\n${host}\r\nConnection: host\r\n\r\n`, [], ""],
    ["an empty line before it", `\r\nGET ${url} HTTP/1.1\r\n${host}\r\n\r\n`, [], ""],
    ["blanks around a value", `GET ${url} HTTP/1.1\r\n${host}\r\nConnection: \t x \t\r\n\r\n`, [], ""],
  ];
  for (const [title, sent, headers, body] of odd) {
    it(`reaches the origin in one well-formed shape: ${title}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t);
      const next = requestHead("GET", `${origin.url}/next`);
      const client = await openRaw(t, proxy.endpoint.port, sent.replaceAll("ORIGIN", origin.host) + next);
      assert.deepEqual((await readAnswers(client, 2)).map(statusOf), [200, 200]);
      const method = sent.trimStart().split(" ")[0] ?? "";
      const own = [`Host: ${origin.host}`, ...headers, "Connection: keep-alive"];
      const seen = origin.requests.map((request) => [request.startLine, request.headers, request.body]);
      assert.deepEqual(seen, [
        [`${method} /first HTTP/1.1`, own, body],
        ["GET /next HTTP/1.1", [`Host: ${origin.host}`, "Connection: keep-alive"], ""],
      ]);
      await proxy.assertCounted(origin);
    });
  }
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { User } from "../../../src/proxy/users.js";
import { startCountedProxy } from "../../helpers/counted-proxy.js";
import { basicLogin } from "../../helpers/http-client.js";
import { answerText, readAnswers, requestHead, statusOf, valuesOf } from "../../helpers/http-messages.js";
import { openRaw } from "../../helpers/raw-http.js";
import { startRawOrigin } from "../../helpers/raw-origin.js";
import { closed } from "../../helpers/timing.js";

const io = { timeout: 20_000 };
const alice: User = { username: "alice", password: "a" };
/** What every answer to a client that keeps its connection gets from us. */
const ownAnswerHeaders = ["Connection: keep-alive", "Keep-Alive: timeout=60"];

describe("the head of a plain HTTP request", () => {
  const kept: readonly (readonly [title: string, headers: readonly string[]])[] = [
    [
      "order, spelling and duplicates",
      ["b-B: 2", "A-a: 1", "Cookie: x=1", "cookie: y=2", "B-b: 2", "b-B: 2"],
    ],
    [
      "what looks like ours",
      ["Via: 1.1 other", "X-Forwarded-For: 10.0.0.1", "Forwarded: for=a", "Date: then"],
    ],
    ["a login for the origin", ["Authorization: Basic eDp5", "Cookie: secret"]],
    [
      "conditions and ranges",
      ['If-None-Match: "a"', "Range: bytes=0-1", "Accept-Encoding: gzip, br", "Accept: */*"],
    ],
    ["empty and odd values", ["X-Empty:", "X-Colon: :a:b", 'X-Quote: "', "X-Latin: \xe4\xff", "X-Tab: a\tb"]],
    ["odd names", ["!#$%&'*+-.^_`|~: 1", "0: 2", "__proto__: 3", "constructor: 4", "toString: 5"]],
    ["headers of an answer", ["Set-Cookie: a", "Set-Cookie: b", "Location: /", "Server: me"]],
  ];
  for (const [title, headers] of kept) {
    it(`keeps ${title}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t);
      const text = requestHead("GET", `${origin.url}/`, ...headers);
      await readAnswers(await openRaw(t, proxy.endpoint.port, Buffer.from(text, "latin1")), 1);
      const expected = headers.map((line) => line.replace(/:$/, ": "));
      assert.deepEqual(origin.requests[0]?.headers, [
        ...expected,
        `Host: ${origin.host}`,
        "Connection: keep-alive",
      ]);
      await proxy.assertCounted(origin);
    });
  }

  const left: readonly (readonly [
    title: string,
    headers: readonly string[],
    leftOver?: readonly string[],
  ])[] = [
    ["Proxy-Connection", ["Proxy-Connection: keep-alive", "Proxy-connection: close"]],
    ["the login", [basicLogin(alice)]],
    ["a second login", [basicLogin(alice), "proxy-AUTHORIZATION: Basic eDp5"]],
    ["a login that Connection names", [basicLogin(alice), "Connection: proxy-authorization"]],
    ["what Connection names", ["X-Own: 1", "Connection: X-Own, x-other", "X-Other: 2"]],
    [
      "what several Connection headers name",
      ["X-Own: 1", "X-Other: 2", "Connection: x-own", "connection: x-OTHER"],
    ],
    ["what Connection names in odd case", ["x-oWN: 1", "cONNECTION: X-OwN"]],
    ["what Connection names between commas and tabs", ["X-Own: 1", "Connection: ,\tX-Own\t,, ,"]],
    [
      "Keep-Alive, TE, Trailer",
      ["Keep-Alive: 5", "TE: trailers", "Trailer: X", "Connection: TE, keep-alive"],
    ],
    ["what Connection names behind close", ["X-Own: 1", "Connection: keep-alive, X-Own"]],
    ["Proxy-Authenticate", ["Proxy-Authenticate: Basic"]],
    ["nothing that is only like it", ["X-Own: 1", "X-Owner: 2", "Connection: X-Own"], ["X-Owner: 2"]],
    ["not what has to be there: Host", ["Connection: host"]],
  ];
  for (const [title, headers, leftOver = []] of left) {
    it(`loses ${title}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t);
      const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`, ...headers));
      await readAnswers(client, 1);
      const [request] = origin.requests;
      assert.deepEqual(request?.headers, [...leftOver, `Host: ${origin.host}`, "Connection: keep-alive"]);
      await proxy.assertCounted(origin);
    });
  }

  it("keeps bytes beyond ASCII where the client waits for a 100, too", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t);
    const headers = ["X-Latin: \xe4\xff", "Expect: 100-continue", "Content-Length: 0"];
    const text = requestHead("POST", `${origin.url}/`, ...headers);
    await readAnswers(await openRaw(t, proxy.endpoint.port, Buffer.from(text, "latin1")), 1);
    assert.equal(origin.requests[0]?.headers[0], "X-Latin: \xe4\xff");
    await proxy.assertCounted(origin);
  });

  for (const named of ["Upgrade", "upgrade, HTTP2-Settings"]) {
    it(`asks for no other protocol: Connection: ${named}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t);
      const headers = [`Connection: ${named}`, "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"];
      const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`, ...headers));
      await readAnswers(client, 1);
      const [request] = origin.requests;
      assert.ok(request !== undefined);
      assert.deepEqual(valuesOf(request, "upgrade"), []);
      assert.deepEqual(valuesOf(request, "connection"), ["keep-alive"]);
      await proxy.assertCounted(origin);
    });
  }

  const framed: readonly (readonly [framing: string, connection: string, body: string])[] = [
    ["Content-Length: 5", "Connection: content-length", "hello"],
    ["Content-Length: 5", "Connection: close, CONTENT-LENGTH, Host", "hello"],
    ["Transfer-Encoding: chunked", "Connection: transfer-encoding", "5\r\nhello\r\n0\r\n\r\n"],
  ];
  for (const [framing, connection, body] of framed) {
    it(`keeps its framing, whatever it names: ${connection}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t);
      const head = requestHead("POST", `${origin.url}/`, connection, framing);
      await readAnswers(await openRaw(t, proxy.endpoint.port, head + body), 1);
      const [request] = origin.requests;
      assert.equal(request?.body, "hello");
      assert.deepEqual(request.headers, [`Host: ${origin.host}`, framing, "Connection: keep-alive"]);
      await proxy.assertCounted(origin);
    });
  }

  const hosts: readonly (readonly [title: string, sent: string])[] = [
    ["another one", "Host: elsewhere.example"],
    ["an empty one", "Host:"],
    ["one in odd case", "hOsT: elsewhere.example:1"],
    ["one that is no host", "Host: a b/c@d"],
  ];
  for (const [title, sent] of hosts) {
    it(`names the target's host, not ${title}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t);
      const text = `GET ${origin.url}/ HTTP/1.1\r\n${sent}\r\nX-Own: 1\r\n\r\n`;
      await readAnswers(await openRaw(t, proxy.endpoint.port, text), 1);
      const [request] = origin.requests;
      assert.deepEqual(request?.headers, ["X-Own: 1", `Host: ${origin.host}`, "Connection: keep-alive"]);
      await proxy.assertCounted(origin);
    });
  }

  it("names the target's host as the client wrote it", io, async (t) => {
    const asked: string[] = [];
    const lookup = async (host: string) => {
      asked.push(host);
      return Promise.resolve(["127.0.0.1"]);
    };
    const proxy = await startCountedProxy(t, { lookup });
    const origin = await startRawOrigin(t);
    const host = `Origin.EXAMPLE:${origin.endpoint.port}`;
    const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `http://${host}/`));
    await readAnswers(client, 1);
    assert.deepEqual(origin.requests[0]?.headers, [`Host: ${host}`, "Connection: keep-alive"]);
    assert.deepEqual(asked, ["Origin.EXAMPLE"]);
    await proxy.assertCounted(origin);
  });

  const paths: readonly (readonly [sent: string, received: string])[] = [
    ["", "/"],
    ["/", "/"],
    ["/a/../b/./c//d", "/a/../b/./c//d"],
    ["/%2e%2E/%zz/%", "/%2e%2E/%zz/%"],
    ["?q", "/?q"],
    ["/?a=http://b@c:0/&d=?", "/?a=http://b@c:0/&d=?"],
    ["//elsewhere/", "//elsewhere/"],
    ['/;a=b,c|d^e`f{g}\\h"i<j>[k]', '/;a=b,c|d^e`f{g}\\h"i<j>[k]'],
    [`/${"a".repeat(30_000)}`, `/${"a".repeat(30_000)}`],
  ];
  for (const [sent, received] of paths) {
    it(`takes the path as it stands: ${JSON.stringify(sent.slice(0, 40))}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t, () => answerText(""));
      await readAnswers(await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}${sent}`)), 1);
      assert.equal(origin.requests[0]?.startLine, `GET ${received} HTTP/1.1`);
      await proxy.assertCounted(origin);
    });
  }

  it("asks about the whole server with OPTIONS", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t);
    await readAnswers(await openRaw(t, proxy.endpoint.port, requestHead("OPTIONS", origin.url)), 1);
    assert.equal(origin.requests[0]?.startLine, "OPTIONS * HTTP/1.1");
  });

  for (const method of ["PROPFIND", "PURGE", "M-SEARCH", "TRACE", "REPORT", "LINK"]) {
    it(`may have the method ${method}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t);
      const head = requestHead(method, `${origin.url}/`, "Content-Length: 0");
      await readAnswers(await openRaw(t, proxy.endpoint.port, head), 1);
      assert.equal(origin.requests[0]?.startLine, `${method} / HTTP/1.1`);
      await proxy.assertCounted(origin);
    });
  }

  for (const count of [300, 3_000, 6_000]) {
    it(`may have ${count} headers`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t);
      const headers = Array.from({ length: count }, (_, index) => `x${index}: y`);
      await readAnswers(
        await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`, ...headers)),
        1,
      );
      assert.deepEqual(origin.requests[0]?.headers.slice(0, -2), headers);
      await proxy.assertCounted(origin);
    });
  }

  it("may be of nearly 64 KiB", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t);
    const header = `X: ${"x".repeat(65_000)}`;
    await readAnswers(await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`, header)), 1);
    assert.equal(origin.requests[0]?.headers[0], header);
    await proxy.assertCounted(origin);
  });

  const tooLarge: readonly (readonly [title: string, headers: readonly string[], path: string])[] = [
    ["one header", [`X: ${"x".repeat(66_000)}`], ""],
    ["many headers", Array.from({ length: 30_000 }, (_, index) => `x${index}: y`), ""],
    ["a target", [], "x".repeat(66_000)],
    ["a name", [`${"x".repeat(66_000)}: 1`], ""],
  ];
  for (const [title, headers, path] of tooLarge) {
    it(`gets 431 beyond 64 KiB, and no origin a connection: ${title}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t);
      const head = requestHead("GET", `${origin.url}/${path}`, ...headers);
      const client = await openRaw(t, proxy.endpoint.port, head, requestHead("GET", `${origin.url}/next`));
      assert.match(await client.closed(), /^HTTP\/1\.1 431 (?!.*HTTP\/)/s);
      assert.deepEqual(origin.connections, []);
      assert.equal(proxy.store.size, 0);
    });
  }
});

describe("the head of an answer", () => {
  const kept: readonly (readonly [title: string, statusLine: string, headers: readonly string[]])[] = [
    ["Set-Cookie twice", "200 OK", ["Set-Cookie: a=1; Path=/", "Set-Cookie: b=2"]],
    ["order, spelling and duplicates", "200 OK", ["x-B: 2", "X-a: 1", "X-b: 2", "x-B: 2"]],
    ["no Date that it has not", "200 OK", []],
    ["its Date", "200 OK", ["Date: Thu, 01 Jan 1970 00:00:00 GMT", "Server: x", "Via: 1.1 y"]],
    ["bytes beyond ASCII", "200 OK", ["X-Latin: \xe4\xff", "X-Utf8: \xc3\xa4"]],
    ["an odd reason phrase", '200 It\'s (fine); "really" \xe4', []],
    ["an empty reason phrase", "200 ", []],
    ["an odd status", "299 Almost", []],
    ["a status beyond 599", "799 Far out", []],
    ["a status of 999", "999 Denied", []],
    [
      "a login that it asks for",
      "401 Unauthorized",
      ["WWW-Authenticate: Basic", "WWW-Authenticate: Digest x"],
    ],
    ["odd names", "200 OK", ["!#$%&'*+-.^_`|~: 1", "__proto__: 3", "constructor: 4"]],
    ["an empty value", "200 OK", ["X-Empty: "]],
  ];
  for (const [title, statusLine, headers] of kept) {
    it(`keeps ${title}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const lines = [`HTTP/1.1 ${statusLine}`, ...headers, "Content-Length: 2", "", "ok"];
      const origin = await startRawOrigin(t, () => lines.join("\r\n"));
      const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`));
      const [answer] = await readAnswers(client, 1);
      assert.equal(answer?.startLine, `HTTP/1.1 ${statusLine}`);
      assert.deepEqual(answer.headers, [...headers, "Content-Length: 2", ...ownAnswerHeaders]);
      assert.equal(answer.body, "ok");
      await proxy.assertCounted(origin);
    });
  }

  const left: readonly (readonly [title: string, headers: readonly string[]])[] = [
    ["what its Connection names", ["X-Own: 1", "Connection: X-OWN, keep-alive"]],
    ["Keep-Alive and Proxy-Connection", ["Keep-Alive: timeout=1", "Proxy-Connection: close"]],
    ["Proxy-Authenticate", ["Proxy-Authenticate: Basic realm=evil"]],
    ["Upgrade", ["Upgrade: h2c", "Connection: upgrade"]],
  ];
  for (const [title, headers] of left) {
    it(`loses ${title}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t, () => answerText("ok", ...headers));
      const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`));
      const [answer] = await readAnswers(client, 1);
      assert.deepEqual(answer?.headers, ["Content-Length: 2", ...ownAnswerHeaders]);
      await proxy.assertCounted(origin);
    });
  }

  for (const count of [300, 3_000]) {
    it(`may have ${count} headers`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const headers = Array.from({ length: count }, (_, index) => `x${index}: y`);
      const origin = await startRawOrigin(t, () => answerText("ok", ...headers));
      const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`));
      const [answer] = await readAnswers(client, 1);
      assert.deepEqual(answer?.headers, [...headers, "Content-Length: 2", ...ownAnswerHeaders]);
      await proxy.assertCounted(origin);
    });
  }

  const interim: readonly (readonly [title: string, text: string])[] = [
    ["102", "HTTP/1.1 102 Processing\r\n\r\n"],
    ["103", "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"],
    ["several", "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 199 Odd\r\n\r\n"],
    ["100 unasked", "HTTP/1.1 100 Continue\r\n\r\n"],
  ];
  for (const [title, text] of interim) {
    it(`may follow an interim one: ${title}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t, () => text + answerText("ok"));
      const head = requestHead("GET", `${origin.url}/`);
      const client = await openRaw(t, proxy.endpoint.port, head, head);
      await client.received("\r\n\r\nok", 2);
      const answers = (await readAnswers(client, 2)).filter((answer) => statusOf(answer) >= 200);
      assert.deepEqual(
        answers.map(({ body }) => body),
        ["ok", "ok"],
      );
      assert.equal(origin.connections.length, 1);
      await proxy.assertCounted(origin);
    });
  }

  const unfit: readonly (readonly [title: string, text: string])[] = [
    ["garbage", "this is no HTTP\r\n\r\n"],
    ["bytes", "\u0000\u0001\u0002\u0003\u00ff\r\n\r\n"],
    ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["an answer of HTTP/2", "\u0000\u0000\u0006\u0004\u0000\u0000\u0000\u0000\u0000"],
    ["a request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
    [
      "101 unasked",
      "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n\u0001\u0002",
    ],
    ["101 without Upgrade", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
    ["a head beyond 64 KiB", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(70_000)}\r\n\r\n`],
    ["endless headers", `HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(40_000)}`],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    [
      "a length beside chunks",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"],
    ["a bare line feed", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"],
    ["a folded header", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"],
    ["a zero byte in a header", "HTTP/1.1 200 OK\r\nX: a\u0000b\r\nContent-Length: 0\r\n\r\n"],
    ["a header without a name", "HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 0\r\n\r\n"],
    ["a control character in the reason", "HTTP/1.1 200 O\u0001K\r\nContent-Length: 0\r\n\r\n"],
    ["a DEL in the reason", "HTTP/1.1 200 O\u007fK\r\nContent-Length: 0\r\n\r\n"],
    ["a control character in a header", "HTTP/1.1 200 OK\r\nX: a\u0001b\r\nContent-Length: 0\r\n\r\n"],
    ["a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"],
    ["a status of 000", "HTTP/1.1 000 None\r\nContent-Length: 0\r\n\r\n"],
    ["a status of 99", "HTTP/1.1 099 None\r\nContent-Length: 0\r\n\r\n"],
    ["a status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"],
  ];
  for (const [title, text] of unfit) {
    it(`is 502 where the origin sends ${title}, and the client may go on`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t, ({ startLine }) =>
        startLine.includes("/next") ? answerText("next") : text,
      );
      const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`));
      const [answer] = await readAnswers(client, 1);
      assert.equal(answer && statusOf(answer), 502, client.text);
      client.send(requestHead("GET", `${origin.url}/next`));
      assert.equal((await readAnswers(client, 2))[1]?.body, "next");
      // What comes behind such an answer is nobody's.
      assert.equal(origin.connections.length, 2);
      await closed((await origin.connection(0)).socket);
      assert.deepEqual(proxy.logger.messages("error"), []);
    });
  }

  it("that nobody asked for is no answer to the next request", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t, ({ startLine }) =>
      startLine.includes("/next") ? answerText("next") : answerText("first") + answerText("evil"),
    );
    const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`));
    await readAnswers(client, 1);
    await closed((await origin.connection(0)).socket);
    client.send(requestHead("GET", `${origin.url}/next`));
    const answers = await readAnswers(client, 2);
    assert.deepEqual(
      answers.map(({ body }) => body),
      ["first", "next"],
    );
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readAll, sha256 } from "../../helpers/bytes.js";
import { startCountedProxy } from "../../helpers/counted-proxy.js";
import {
  answerText,
  chunked,
  messagesIn,
  readAnswers,
  requestHead,
  statusOf,
  valuesOf,
} from "../../helpers/http-messages.js";
import { connectTo } from "../../helpers/proxy.js";
import { createRandom } from "../../helpers/random.js";
import { openRaw } from "../../helpers/raw-http.js";
import { silent, startRawOrigin } from "../../helpers/raw-origin.js";
import { closed, turns } from "../../helpers/timing.js";

const io = { timeout: 10_000 };
const megabytes = createRandom(7)
  .bytes(3 * 1024 * 1024 + 17)
  .toString("latin1");
const allBytes = String.fromCharCode(...Array(256).keys());

describe("the body of a request", () => {
  const bodies: readonly (readonly [
    title: string,
    method: string,
    framing: string,
    sent: string,
    body: string,
  ])[] = [
    ["with its length", "POST", "Content-Length: 5", "hello", "hello"],
    ["with its length, of GET", "GET", "Content-Length: 5", "hello", "hello"],
    ["with its length, of DELETE", "DELETE", "Content-Length: 5", "hello", "hello"],
    ["with its length, of OPTIONS", "OPTIONS", "Content-Length: 5", "hello", "hello"],
    ["with its length, of HEAD", "HEAD", "Content-Length: 5", "hello", "hello"],
    ["of length 0", "POST", "Content-Length: 0", "", ""],
    ["of length 0, of GET", "GET", "Content-Length: 0", "", ""],
    ["in chunks", "POST", "Transfer-Encoding: chunked", chunked("hel", "lo"), "hello"],
    ["in chunks, of GET", "GET", "Transfer-Encoding: chunked", chunked("hel", "lo"), "hello"],
    ["in chunks, empty", "POST", "Transfer-Encoding: chunked", chunked(), ""],
    ["in chunks, empty, of DELETE", "DELETE", "Transfer-Encoding: chunked", chunked(), ""],
    [
      "in chunks with extensions",
      "POST",
      "Transfer-Encoding: chunked",
      '5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n',
      "hello",
    ],
    ["with all bytes there are", "POST", "Content-Length: 256", allBytes, allBytes],
  ];
  for (const [title, method, framing, sent, body] of bodies) {
    it(`${title} reaches the origin, framed the same way`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t);
      const text = requestHead(method, `${origin.url}/`, framing) + sent;
      const client = await openRaw(t, proxy.endpoint.port, Buffer.from(text, "latin1"));
      await readAnswers(client, 1, [method]);
      const [request] = origin.requests;
      assert.ok(request !== undefined);
      assert.equal(request.body, body);
      assert.deepEqual(request.headers, [`Host: ${origin.host}`, framing, "Connection: keep-alive"]);
      // Nothing of the one is left for the next.
      client.send(requestHead("GET", `${origin.url}/next`));
      await readAnswers(client, 2, [method]);
      assert.equal(origin.requests[1]?.startLine, "GET /next HTTP/1.1");
      await proxy.assertCounted(origin);
    });
  }

  for (const [method, length] of [
    ["POST", ["0"]],
    ["PUT", ["0"]],
    ["PATCH", ["0"]],
    ["GET", []],
    ["HEAD", []],
    ["DELETE", []],
    ["OPTIONS", []],
    ["TRACE", []],
  ] as const) {
    it(
      `that ${method} does not have is ${length.length === 0 ? "not announced" : "announced as empty"}`,
      io,
      async (t) => {
        const proxy = await startCountedProxy(t);
        const origin = await startRawOrigin(t);
        const client = await openRaw(t, proxy.endpoint.port, requestHead(method, `${origin.url}/`));
        await readAnswers(client, 1, [method]);
        const [request] = origin.requests;
        assert.ok(request !== undefined);
        assert.deepEqual(valuesOf(request, "content-length"), [...length]);
        assert.deepEqual(valuesOf(request, "transfer-encoding"), []);
        await proxy.assertCounted(origin);
      },
    );
  }

  it("loses its trailers", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t);
    const client = await openRaw(t, proxy.endpoint.port);
    client.send(requestHead("POST", `${origin.url}/`, "Transfer-Encoding: chunked", "Trailer: X-Sum"));
    client.send("2\r\nhi\r\n0\r\nX-Sum: 1\r\nHost: evil\r\n\r\n");
    await readAnswers(client, 1);
    const [connection] = origin.connections;
    assert.match(connection?.text ?? "", /\r\n\r\n2\r\nhi\r\n0\r\n\r\n$/);
    assert.doesNotMatch(connection?.text ?? "", /trailer|x-sum|evil/i);
    await proxy.assertCounted(origin);
  });

  for (const framing of ["Content-Length: 5", "Transfer-Encoding: chunked"]) {
    it(`need not begin for its head to reach the origin, with ${framing}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t, silent);
      const client = await openRaw(t, proxy.endpoint.port, requestHead("POST", `${origin.url}/`, framing));
      await (await origin.connection(0)).received("\r\n\r\n");
      assert.equal(client.text, "");
    });
  }

  it("goes on to the origin while it comes", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t);
    const client = await openRaw(t, proxy.endpoint.port);
    client.send(requestHead("POST", `${origin.url}/`, "Content-Length: 10"), "first");
    const connection = await origin.connection(0);
    await connection.received("\r\n\r\nfirst");
    client.send("secnd");
    await connection.received("firstsecnd");
    await readAnswers(client, 1);
    await proxy.assertCounted(origin);
  });

  for (const framing of [`Content-Length: ${megabytes.length}`, "Transfer-Encoding: chunked"]) {
    it(`of megabytes passes whole both ways with ${framing}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const isChunked = framing.startsWith("T");
      const body = isChunked ? chunked(megabytes.slice(0, 1_000_000), megabytes.slice(1_000_000)) : megabytes;
      const answer = `HTTP/1.1 200 OK\r\n${framing}\r\n\r\n${body}`;
      const origin = await startRawOrigin(t, () => answer);
      const client = await connectTo(t, proxy.endpoint);
      client.end(requestHead("PUT", `${origin.url}/`, framing) + body, "latin1");
      const heard = (await readAll(client)).toString("latin1");
      assert.equal(sha256(messagesIn(heard)[0]?.body ?? ""), sha256(megabytes));
      assert.equal(sha256(origin.requests[0]?.body ?? ""), sha256(megabytes));
      await closed(client);
      await proxy.assertCounted(origin);
    });
  }
});

describe("the body of an answer", () => {
  const bodiless: readonly (readonly [method: string, answer: string])[] = [
    ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"],
    ["HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ["HEAD", "HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\n"],
    ["GET", "HTTP/1.1 204 No Content\r\n\r\n"],
    ["GET", "HTTP/1.1 304 Not Modified\r\n\r\n"],
    ["GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n"],
    ["GET", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ];
  for (const [method, text] of bodiless) {
    it(`is not there for ${method} with ${JSON.stringify(text)}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t, ({ startLine }) =>
        startLine.includes("/next") ? answerText("next") : text,
      );
      const client = await openRaw(t, proxy.endpoint.port);
      client.send(requestHead(method, `${origin.url}/`), requestHead("GET", `${origin.url}/next`));
      const [first, second] = await readAnswers(client, 2, [method, "GET"]);
      assert.equal(first?.startLine, text.split("\r\n")[0]);
      assert.deepEqual(first && valuesOf(first, "content-length"), text.includes("1000") ? ["1000"] : []);
      assert.equal(second?.body, "next");
      assert.equal(origin.connections.length, 1);
      await proxy.assertCounted(origin);
    });
  }

  const bodies: readonly (readonly [title: string, answer: string, body: string])[] = [
    ["empty", answerText(""), ""],
    ["in chunks", `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked("hel", "lo")}`, "hello"],
    ["in chunks, empty", `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked()}`, ""],
    [
      "in chunks with extensions",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n",
      "hello",
    ],
    ["of an error", "HTTP/1.1 500 Oh No\r\nContent-Length: 5\r\n\r\nhello", "hello"],
    ["of a redirection", "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 5\r\n\r\nhello", "hello"],
  ];
  for (const [title, text, body] of bodies) {
    it(`${title} reaches the client, and the connections go on`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t, () => text);
      const head = requestHead("GET", `${origin.url}/`);
      const client = await openRaw(t, proxy.endpoint.port, head, head);
      const answers = await readAnswers(client, 2);
      assert.deepEqual(
        answers.map((answer) => answer.body),
        [body, body],
      );
      assert.deepEqual(
        answers.map(({ startLine }) => startLine),
        Array(2).fill(text.split("\r\n")[0]),
      );
      assert.equal(origin.connections.length, 1);
      await proxy.assertCounted(origin);
    });
  }

  it("loses its trailers", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const text =
      "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n";
    const origin = await startRawOrigin(t, () => text);
    const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`));
    const [answer] = await readAnswers(client, 1);
    assert.equal(answer?.body, "hi");
    assert.deepEqual(answer.trailers, []);
    assert.doesNotMatch(client.text, /trailer|x-sum/i);
    await proxy.assertCounted(origin);
  });

  it("that ends with the connection ends so for HTTP/1.0, and in chunks for HTTP/1.1", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t, (_, connection) => {
      connection.send("HTTP/1.1 200 OK\r\n\r\nto the end");
      connection.socket.end();
      return undefined;
    });
    const old = await openRaw(t, proxy.endpoint.port, `GET ${origin.url}/ HTTP/1.0\r\n\r\n`);
    assert.match(await old.closed(), /^HTTP\/1\.1 200 OK\r\nConnection: close\r\n\r\nto the end$/);
    const client = await openRaw(t, proxy.endpoint.port);
    for (const count of [1, 2]) {
      client.send(requestHead("GET", `${origin.url}/`));
      assert.equal((await readAnswers(client, count))[count - 1]?.body, "to the end");
    }
    assert.equal(origin.connections.length, 3);
    await proxy.assertCounted(origin);
  });

  it("of an origin that speaks HTTP/1.0 ends with its connection", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t, (_, connection) => {
      connection.send("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold");
      connection.socket.end();
      return undefined;
    });
    const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`));
    const [answer] = await readAnswers(client, 1);
    assert.deepEqual([answer?.startLine, answer?.body], ["HTTP/1.1 200 OK", "old"]);
    await proxy.assertCounted(origin);
  });

  it("in chunks ends with the connection for HTTP/1.0", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const answer = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked("hel", "lo")}`;
    const origin = await startRawOrigin(t, () => answer);
    const client = await openRaw(t, proxy.endpoint.port, `GET ${origin.url}/ HTTP/1.0\r\n\r\n`);
    assert.equal(await client.closed(), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
    await proxy.assertCounted(origin);
  });

  it("reaches the client while it comes", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t, () => "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
    const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`));
    await client.received("\r\n\r\nfirst");
    (await origin.connection(0)).send("secnd");
    await client.received("firstsecnd");
    await proxy.assertCounted(origin);
  });

  it("need not begin for its head to reach the client", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t, () => "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`));
    await client.received("\r\n\r\n");
    (await origin.connection(0)).send("0123456789");
    await readAnswers(client, 1);
    await proxy.assertCounted(origin);
  });
});

describe("Expect: 100-continue", () => {
  it("asks the origin, whose 100 lets the client send", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t, ({ body }) => answerText(body));
    const client = await openRaw(t, proxy.endpoint.port);
    client.send(requestHead("POST", `${origin.url}/`, "Content-Length: 5", "Expect: 100-continue"));
    const connection = await origin.connection(0);
    await connection.received("\r\n\r\n");
    assert.match(connection.text, /^Expect: 100-continue\r$/m);
    await turns(20);
    assert.equal(client.text, "");
    connection.send("HTTP/1.1 100 Continue\r\n\r\n");
    await client.received("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    assert.deepEqual((await readAnswers(client, 2)).map(statusOf), [100, 200]);
    assert.match(client.text, /\r\n\r\nhello$/);
    assert.equal(client.text.match(/100 Continue/g)?.length, 1);
    await proxy.assertCounted(origin);
  });

  it("is of no account to a client that does not wait", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t, ({ body }) => `HTTP/1.1 100 Continue\r\n\r\n${answerText(body)}`);
    const client = await openRaw(t, proxy.endpoint.port);
    client.send(`${requestHead("POST", `${origin.url}/`, "Content-Length: 5", "Expect: 100-continue")}hello`);
    assert.match((await readAnswers(client, 2)).at(-1)?.body ?? "", /^hello$/);
    await proxy.assertCounted(origin);
  });

  for (const status of ["417 Expectation Failed", "413 Content Too Large"]) {
    it(`may be answered with ${status}, and the client sends nothing`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t, silent);
      const client = await openRaw(t, proxy.endpoint.port);
      client.send(requestHead("POST", `${origin.url}/`, "Content-Length: 5", "Expect: 100-continue"));
      const connection = await origin.connection(0);
      await connection.received("\r\n\r\n");
      connection.send(`HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\nno`);
      const [answer] = await readAnswers(client, 1);
      assert.deepEqual([answer?.startLine, answer?.body], [`HTTP/1.1 ${status}`, "no"]);
      client.socket.end();
      await client.closed();
      await closed(connection.socket);
      assert.equal(origin.connections.length, 1);
      await proxy.assertCounted(origin);
    });
  }
});

describe("an answer that comes before the end of its request", () => {
  for (const status of ["413 Content Too Large", "200 OK"]) {
    it(`reaches a client that goes on sending: ${status}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t, ({ startLine }) =>
        startLine.startsWith("GET") ? answerText("next") : undefined,
      );
      const client = await openRaw(t, proxy.endpoint.port);
      client.send(requestHead("POST", `${origin.url}/`, `Content-Length: ${megabytes.length}`));
      client.send(Buffer.from(megabytes.slice(0, 100_000), "latin1"));
      const connection = await origin.connection(0);
      await connection.received("\r\n\r\n");
      connection.send(`HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\nno`);
      await readAnswers(client, 1);
      await closed(connection.socket);
      client.send(Buffer.from(megabytes.slice(100_000), "latin1"), requestHead("GET", `${origin.url}/`));
      const answers = await readAnswers(client, 2);
      assert.deepEqual(
        answers.map(({ body }) => body),
        ["no", "next"],
      );
      // The rest of the body was nobody's: least of all another request.
      assert.equal(origin.connections.length, 2);
      assert.match(origin.connections[1]?.text ?? "", /^GET \/ HTTP\/1\.1\r\n/);
    });
  }

  it("and closes the origin's connection reaches the client whole", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t, silent);
    const client = await openRaw(t, proxy.endpoint.port);
    client.send(requestHead("POST", `${origin.url}/`, `Content-Length: ${megabytes.length}`), "begin");
    const connection = await origin.connection(0);
    await connection.received("begin");
    connection.send("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
    connection.socket.end();
    assert.equal((await readAnswers(client, 1))[0]?.body, "no");
    client.send(Buffer.from(megabytes.slice(5), "latin1"), requestHead("GET", `${origin.url}/`));
    await (await origin.connection(1)).request(0);
    (await origin.connection(1)).send(answerText("next"));
    assert.equal((await readAnswers(client, 2))[1]?.body, "next");
  });
});

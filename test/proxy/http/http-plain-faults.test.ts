import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readAll } from "../../helpers/bytes.js";
import { startCountedProxy } from "../../helpers/counted-proxy.js";
import { startDestination } from "../../helpers/destination.js";
import { endingOf } from "../../helpers/ending.js";
import { answerText, chunked, readAnswers, requestHead, statusOf } from "../../helpers/http-messages.js";
import { connectTo } from "../../helpers/proxy.js";
import { openRaw } from "../../helpers/raw-http.js";
import { silent, startRawOrigin } from "../../helpers/raw-origin.js";
import { closedPort } from "../../helpers/sockets.js";
import { closed, event, turns, until } from "../../helpers/timing.js";

const io = { timeout: 10_000 };
const lookUpNothing = async () =>
  Promise.reject(Object.assign(new Error("nobody knows"), { code: "ENOTFOUND" }));

describe("a plain HTTP request whose origin cannot be reached", () => {
  it("gets 502 if it refuses, with the reason, and leaves zeros", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const port = await closedPort();
    const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `http://127.0.0.1:${port}/`));
    const [answer] = await readAnswers(client, 1);
    assert.equal(answer?.startLine, "HTTP/1.1 502 Bad Gateway");
    assert.equal(answer.body, `connect to 127.0.0.1:${port}: connection refused\n`);
    assert.equal(proxy.store.size, 4);
    assert.deepEqual(proxy.moved("inbound"), { up: 0, down: 0 });
  });

  it("gets 502 if its name has no address", io, async (t) => {
    const proxy = await startCountedProxy(t, { lookup: lookUpNothing });
    const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", "http://nowhere.example/"));
    const [answer] = await readAnswers(client, 1);
    assert.equal(answer && statusOf(answer), 502);
    assert.equal(answer?.body, "connect to nowhere.example:80: its name has no address\n");
  });

  it("gets 504 if it takes too long", io, async (t) => {
    const lookup = async () => new Promise<never>(() => undefined);
    const proxy = await startCountedProxy(t, { lookup, connectTimeoutMs: 30 });
    const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", "http://slow.example/"));
    const [answer] = await readAnswers(client, 1);
    assert.equal(answer?.startLine, "HTTP/1.1 504 Gateway Timeout");
    assert.equal(answer.body, "connect to slow.example:80: no answer in time\n");
  });

  it("gets its refusal, with all of its body read, and the connection goes on", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const dead = `http://127.0.0.1:${await closedPort()}/`;
    const origin = await startRawOrigin(t);
    const client = await openRaw(t, proxy.endpoint.port);
    client.send(
      `${requestHead("POST", dead, "Content-Length: 5")}hello${requestHead("GET", `${origin.url}/`)}`,
    );
    assert.deepEqual((await readAnswers(client, 2)).map(statusOf), [502, 200]);
    await proxy.assertCounted(origin);
  });

  it("gets its refusal although it goes on sending", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const client = await openRaw(t, proxy.endpoint.port);
    client.send(requestHead("POST", `http://127.0.0.1:${await closedPort()}/`, "Content-Length: 3000000"));
    client.send("x".repeat(3_000_000));
    await client.received("HTTP/1.1 502 ");
    client.socket.end();
    assert.match(await client.closed(), /: connection refused\n$/);
    assert.deepEqual(proxy.moved("inbound"), { up: 0, down: 0 });
  });
});

describe("an origin that ends a plain HTTP request", () => {
  const before: readonly (readonly [
    title: string,
    how: "end" | "destroy" | "resetAndDestroy",
    sent: string,
  ])[] = [
    ["closes before the answer", "end", ""],
    ["vanishes before the answer", "destroy", ""],
    ["resets before the answer", "resetAndDestroy", ""],
    ["closes within the status line", "end", "HTTP/1.1 20"],
    ["closes within the head", "end", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"],
    ["resets within the head", "resetAndDestroy", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"],
    ["closes behind a 103", "end", "HTTP/1.1 103 Early Hints\r\n\r\n"],
  ];
  for (const method of ["GET", "POST"]) {
    for (const [title, how, sent] of before) {
      it(`and ${title} gets ${method} a 502, and the connection goes on`, io, async (t) => {
        const proxy = await startCountedProxy(t);
        const origin = await startRawOrigin(t, ({ startLine }, connection) => {
          if (startLine.includes("/next")) return answerText("next");
          connection.send(sent);
          connection.socket[how]();
          return undefined;
        });
        const client = await openRaw(t, proxy.endpoint.port);
        client.send(requestHead(method, `${origin.url}/`, "Content-Length: 0"));
        const [answer] = await readAnswers(client, 1);
        assert.equal(answer?.startLine, "HTTP/1.1 502 Bad Gateway");
        assert.match(answer.body, new RegExp(`^no answer from ${origin.host}: .+\n$`));
        assert.equal(origin.connections.length, 1);
        client.send(requestHead("GET", `${origin.url}/next`));
        assert.equal((await readAnswers(client, 2))[1]?.body, "next");
      });
    }
  }

  const within: readonly (readonly [title: string, head: string])[] = [
    ["with its length", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst part"],
    ["in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nfirst part\r\n"],
    ["in chunks, within one", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nfirst part"],
    ["that ends with the connection", "HTTP/1.1 200 OK\r\n\r\nfirst part"],
  ];
  const cuts = ["resetAndDestroy", "end"] as const;
  for (const [title, text] of within) {
    // A clean end is the end of an answer that has no other.
    for (const how of cuts.filter((cut) => cut !== "end" || !title.startsWith("that"))) {
      for (const version of ["1.1", "1.0"]) {
        it(`within an answer ${title} (${how}) cuts the client's of HTTP/${version} off`, io, async (t) => {
          const proxy = await startCountedProxy(t);
          const origin = await startRawOrigin(t, () => text);
          const client = await connectTo(t, proxy.endpoint);
          const ending = endingOf(client);
          let heard = "";
          client.on("data", (bytes: Buffer) => (heard += bytes.toString()));
          client.write(`GET ${origin.url}/ HTTP/${version}\r\nHost: a\r\n\r\n`);
          await until(() => heard.includes("first part"));
          (await origin.connection(0)).socket[how]();
          assert.equal(await ending, "reset");
          assert.match(heard, /^HTTP\/1\.1 200 OK\r\n/);
          assert.doesNotMatch(heard, /\r\n0\r\n\r\n$/);
        });
      }
    }
  }

  it("with a chunk that is none cuts the client's off", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(
      t,
      () => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    );
    const client = await connectTo(t, proxy.endpoint);
    const ending = endingOf(client);
    let heard = "";
    client.on("data", (bytes: Buffer) => (heard += bytes.toString()));
    client.write(requestHead("GET", `${origin.url}/`));
    await until(() => heard.includes("hello"));
    (await origin.connection(0)).send("no chunk\r\n");
    assert.equal(await ending, "reset");
    await closed((await origin.connection(0)).socket);
  });

  it("while its body is on the way gets it a 502, and the rest of it nobody", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t);
    const client = await openRaw(t, proxy.endpoint.port);
    client.send(requestHead("POST", `${origin.url}/`, "Content-Length: 3000000"), "begin");
    const connection = await origin.connection(0);
    await connection.received("begin");
    connection.socket.resetAndDestroy();
    client.send("x".repeat(2_999_995), requestHead("GET", `${origin.url}/next`));
    await client.received("HTTP/1.1 502 ");
    client.socket.end();
    await client.closed();
    assert.equal(origin.connections.length, 1);
  });
});

describe("a client that leaves a plain HTTP request", () => {
  it("while the origin is being dialled ends the dial", io, async (t) => {
    let resolve: (addresses: readonly string[]) => void = () => undefined;
    let asked = false;
    const lookup = async () => {
      asked = true;
      return new Promise<readonly string[]>((settle) => (resolve = settle));
    };
    const proxy = await startCountedProxy(t, { lookup });
    const origin = await startRawOrigin(t);
    const url = `http://origin.example:${origin.endpoint.port}/`;
    const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", url));
    await until(() => asked);
    client.socket.resetAndDestroy();
    await until(() => proxy.logger.failures().some((line) => line.includes("given up")));
    resolve(["127.0.0.1"]);
    await turns(20);
    assert.deepEqual(origin.connections, []);
    assert.deepEqual(proxy.moved("outbound"), { up: 0, down: 0 });
  });

  for (const [when, isKept] of [
    ["the first request", false],
    ["a request on a kept connection", true],
  ] as const) {
    it(
      `is reset, and ${when} is not sent again, where its connection is closed by the table`,
      io,
      async (t) => {
        const proxy = await startCountedProxy(t);
        const origin = await startRawOrigin(t, ({ startLine }) =>
          startLine.includes("/silent") ? undefined : answerText(""),
        );
        const client = await openRaw(t, proxy.endpoint.port);
        if (isKept) {
          client.send(requestHead("GET", `${origin.url}/`));
          await readAnswers(client, 1);
        }
        client.send(requestHead("GET", `${origin.url}/silent`));
        await until(() => origin.requests.at(-1)?.startLine.includes("/silent") === true);
        const [open] = proxy.connections.list();
        const ending = endingOf(client.socket);
        assert.equal(proxy.connections.close(open?.id ?? 0), true);
        assert.equal(await ending, "reset");
        await until(() => proxy.connections.size === 0);
        await turns(5);
        assert.equal(origin.connections.length, 1);
        assert.equal(origin.requests.filter(({ startLine }) => startLine.includes("/silent")).length, 1);
      },
    );
  }

  it("while it waits cuts the origin's connection", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t, silent);
    const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`));
    const connection = await origin.connection(0);
    await connection.request(0);
    client.socket.resetAndDestroy();
    await closed(connection.socket);
    await proxy.assertCounted(origin);
  });

  for (const how of ["destroy", "resetAndDestroy"] as const) {
    it(`within the answer cuts the origin's connection: ${how}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(
        t,
        () => `HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nfirst part`,
      );
      const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`));
      await client.received("first part");
      client.socket[how]();
      const connection = await origin.connection(0);
      // A clean close looks like the half-close of a client that waits, until it is sent something.
      while (connection.socket.writable) {
        connection.send("more");
        await turns(1);
      }
      await closed(connection.socket);
      assert.ok(proxy.moved("inbound").down <= origin.moved.down);
    });

    it(`within its body cuts the origin's connection: ${how}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const destination = await startDestination(t);
      const head = requestHead(
        "POST",
        `http://127.0.0.1:${destination.endpoint.port}/`,
        "Content-Length: 100",
      );
      const client = await openRaw(t, proxy.endpoint.port, head, "first part");
      const remote = await destination.accept();
      const ending = endingOf(remote);
      let heard = "";
      remote.on("data", (bytes: Buffer) => (heard += bytes.toString()));
      await until(() => heard.includes("first part"));
      client.socket[how]();
      // Half a body must not look like a whole one.
      assert.equal(await ending, "reset");
    });
  }

  it("and its pipelined requests leaves none of them behind", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t, silent);
    const head = requestHead("GET", `${origin.url}/`);
    const client = await openRaw(t, proxy.endpoint.port, head.repeat(5));
    const connection = await origin.connection(0);
    await connection.request(0);
    client.socket.resetAndDestroy();
    await closed(connection.socket);
    await turns(20);
    assert.equal(origin.connections.length, 1);
    assert.equal(origin.requests.length, 1);
    assert.deepEqual(proxy.logger.messages("error"), []);
  });

  const halfClosed: readonly (readonly [title: string, framing: string, body: string])[] = [
    ["a request", "X-None: 1", ""],
    ["a request with a body", "Content-Length: 5", "hello"],
    ["a request with a body in chunks", "Transfer-Encoding: chunked", chunked("hello")],
  ];
  for (const [title, framing, body] of halfClosed) {
    it(`by ending its side behind ${title} gets its answer`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t, silent);
      const client = await connectTo(t, proxy.endpoint);
      client.end(requestHead("POST", `${origin.url}/`, framing) + body);
      const connection = await origin.connection(0);
      await connection.request(0);
      await turns(20);
      connection.send(answerText("late answer"));
      assert.match((await readAll(client)).toString(), /late answer$/);
      await closed(connection.socket);
      await proxy.assertCounted(origin);
    });
  }

  it("by ending its side within its body cuts the origin's connection", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t);
    const client = await openRaw(t, proxy.endpoint.port);
    client.send(requestHead("POST", `${origin.url}/`, "Content-Length: 100"), "first part");
    const connection = await origin.connection(0);
    await connection.received("first part");
    client.socket.end();
    await closed(connection.socket);
    await client.closed();
    assert.equal(origin.requests.length, 0);
  });
});

describe("back-pressure of a plain HTTP request", () => {
  const muchBytes = 64 * 1024 * 1024;
  /** What the sockets' buffers may hold, all together, with a lot to spare. */
  const maxHeldBytes = 24 * 1024 * 1024;

  it("slows the origin down where the client does not read", { timeout: 60_000 }, async (t) => {
    const proxy = await startCountedProxy(t);
    const destination = await startDestination(t);
    const client = await connectTo(t, proxy.endpoint);
    client.write(requestHead("GET", `http://127.0.0.1:${destination.endpoint.port}/`));
    const remote = await destination.accept();
    remote.resume();
    remote.write(`HTTP/1.1 200 OK\r\nContent-Length: ${muchBytes}\r\n\r\n`);
    const piece = Buffer.alloc(1024 * 1024, "x");
    let sentBytes = 0;
    // Until nothing moves any more, that is nobody takes anything.
    for (let idle = 0; idle < 200 && sentBytes < muchBytes;) {
      await turns(1);
      if (remote.writableLength > 0) idle++;
      else {
        idle = 0;
        sentBytes += piece.length;
        remote.write(piece);
      }
    }
    assert.ok(sentBytes < maxHeldBytes, `${sentBytes} bytes went nowhere`);
    assert.ok(proxy.moved("inbound").down <= sentBytes);
    let receivedBytes = 0;
    client.on("data", (bytes: Buffer) => (receivedBytes += bytes.length));
    for (; sentBytes < muchBytes; sentBytes += piece.length) {
      if (!remote.write(piece)) await event(remote, "drain");
    }
    await until(() => receivedBytes > muchBytes);
    await until(() => proxy.moved("inbound").down > muchBytes);
  });

  it("slows the client down where the origin does not read", { timeout: 60_000 }, async (t) => {
    const proxy = await startCountedProxy(t);
    const destination = await startDestination(t);
    const client = await connectTo(t, proxy.endpoint);
    const url = `http://127.0.0.1:${destination.endpoint.port}/`;
    client.write(requestHead("POST", url, `Content-Length: ${muchBytes}`));
    const piece = Buffer.alloc(1024 * 1024, "x");
    let sentBytes = 0;
    for (let idle = 0; idle < 200 && sentBytes < muchBytes;) {
      await turns(1);
      if (client.writableLength > 0) idle++;
      else {
        idle = 0;
        sentBytes += piece.length;
        client.write(piece);
      }
    }
    assert.ok(sentBytes < maxHeldBytes, `${sentBytes} bytes went nowhere`);
    assert.ok(proxy.moved("inbound").up <= sentBytes);
    const remote = await destination.accept();
    let receivedBytes = 0;
    remote.on("data", (bytes: Buffer) => (receivedBytes += bytes.length));
    for (; sentBytes < muchBytes; sentBytes += piece.length) {
      if (!client.write(piece)) await event(client, "drain");
    }
    await until(() => receivedBytes > muchBytes);
    assert.equal(proxy.moved("inbound").up, receivedBytes);
    remote.write(answerText("all"));
    assert.match(String(await event(client, "data")), /all$/);
  });
});

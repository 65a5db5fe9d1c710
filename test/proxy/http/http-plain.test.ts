import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { User } from "../../../src/proxy/users.js";
import { readAll } from "../../helpers/bytes.js";
import { startCountedProxy } from "../../helpers/counted-proxy.js";
import { basicLogin, connectHead } from "../../helpers/http-client.js";
import {
  answerText,
  chunked,
  messagesIn,
  readAnswers,
  requestHead,
  statusOf,
} from "../../helpers/http-messages.js";
import { connectTo } from "../../helpers/proxy.js";
import { openRaw } from "../../helpers/raw-http.js";
import { silent, startRawOrigin } from "../../helpers/raw-origin.js";
import { closedPort } from "../../helpers/sockets.js";
import { closed, turns } from "../../helpers/timing.js";

const io = { timeout: 20_000 };
const alice: User = { username: "alice", password: "a" };
const bob: User = { username: "bob", password: "b" };

describe("a plain HTTP request", () => {
  it("reaches its origin in origin-form, and its answer the client", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t);
    const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/a?b`, "X-Own: 1"));
    const [answer] = await readAnswers(client, 1);
    assert.equal(answer?.body, "GET /a?b");
    const [connection] = origin.connections;
    assert.equal(
      connection?.text,
      `GET /a?b HTTP/1.1\r\nX-Own: 1\r\nHost: ${origin.host}\r\nConnection: keep-alive\r\n\r\n`,
    );
    await proxy.assertCounted(origin);
  });

  it("of HTTP/1.0 is answered, and its connection closed", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t);
    const client = await openRaw(t, proxy.endpoint.port, `GET ${origin.url}/ HTTP/1.0\r\n\r\n`);
    assert.match(await client.closed(), /^HTTP\/1\.1 200 OK\r\n(.+\r\n)*\r\nGET \/$/);
    assert.match(origin.connections[0]?.text ?? "", /^GET \/ HTTP\/1\.1\r\n/);
    await proxy.assertCounted(origin);
  });

  it("may be split at every byte", io, async (t) => {
    const proxy = await startCountedProxy(t, { users: [alice] });
    const origin = await startRawOrigin(t);
    const text = `${requestHead("POST", `${origin.url}/`, basicLogin(alice), "Transfer-Encoding: chunked")}${chunked("hello", "!")}`;
    const client = await openRaw(t, proxy.endpoint.port);
    for (const byte of text) {
      client.send(byte);
      await turns(1);
    }
    assert.equal((await readAnswers(client, 1))[0]?.body, "POST /");
    assert.equal(origin.requests[0]?.body, "hello!");
    await proxy.assertCounted(origin);
  });

  for (let cut = 1; cut <= 150; cut += 7) {
    it(`may come in two parts, the first of ${cut} bytes`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t);
      const text = `${requestHead("POST", `${origin.url}/`, "Content-Length: 60")}${"b".repeat(60)}`;
      const client = await openRaw(t, proxy.endpoint.port, text.slice(0, cut));
      await turns(5);
      client.send(text.slice(cut));
      await readAnswers(client, 1);
      assert.equal(origin.requests[0]?.body, "b".repeat(60));
      await proxy.assertCounted(origin);
    });
  }
});

describe("a client connection with plain HTTP requests", () => {
  it("takes one request after the other, all over one connection to the origin", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t);
    const client = await openRaw(t, proxy.endpoint.port);
    for (let index = 0; index < 5; index++) {
      client.send(requestHead("GET", `${origin.url}/${index}`));
      const answers = await readAnswers(client, index + 1);
      assert.equal(answers[index]?.body, `GET /${index}`);
    }
    assert.equal(origin.connections.length, 1);
    await proxy.assertCounted(origin);
  });

  it("goes to several origins in turn", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origins = await Promise.all([startRawOrigin(t), startRawOrigin(t)]);
    const client = await openRaw(t, proxy.endpoint.port);
    const visits = [0, 1, 1, 0].map((index) => origins[index] ?? assert.fail());
    for (const [index, origin] of visits.entries()) client.send(requestHead("GET", `${origin.url}/${index}`));
    const answers = await readAnswers(client, 4);
    assert.deepEqual(
      answers.map(({ body }) => body),
      ["GET /0", "GET /1", "GET /2", "GET /3"],
    );
    assert.deepEqual(
      origins.map(({ connections }) => connections.length),
      [2, 1],
    );
    await closed((await origins[0].connection(0)).socket);
    await closed((await origins[1].connection(0)).socket);
    await proxy.assertCounted(...origins);
  });

  it("gives each user an origin connection of its own", io, async (t) => {
    const proxy = await startCountedProxy(t, { users: [alice, bob] });
    const origin = await startRawOrigin(t);
    const client = await openRaw(t, proxy.endpoint.port);
    for (const [index, user] of [alice, alice, bob, alice].entries()) {
      client.send(requestHead("GET", `${origin.url}/${user.username}`, basicLogin(user)));
      await readAnswers(client, index + 1);
    }
    const paths = origin.connections.map(({ requests }) =>
      requests.map(({ startLine }) => startLine.split(" ")[1]),
    );
    assert.deepEqual(paths, [["/alice", "/alice"], ["/bob"], ["/alice"]]);
    await proxy.assertCounted(origin);
    const bobs = await origin.connection(1);
    assert.deepEqual(proxy.moved("user", "bob"), { up: bobs.text.length, down: bobs.sentBytes });
  });

  it("shares its origin connection with no other client", io, async (t) => {
    const proxy = await startCountedProxy(t, { users: [alice] });
    const origin = await startRawOrigin(t);
    const head = requestHead("GET", `${origin.url}/`, basicLogin(alice));
    for (let index = 0; index < 3; index++) await readAnswers(await openRaw(t, proxy.endpoint.port, head), 1);
    assert.equal(origin.connections.length, 3);
    await proxy.assertCounted(origin);
  });

  const leaves: readonly (readonly [title: string, how: "end" | "destroy" | "resetAndDestroy"])[] = [
    ["ends", "end"],
    ["is closed", "destroy"],
    ["is reset", "resetAndDestroy"],
  ];
  for (const [title, how] of leaves) {
    it(`takes its idle origin connection along when it ${title}`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t);
      const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`));
      await readAnswers(client, 1);
      client.socket[how]();
      await closed((await origin.connection(0)).socket);
      await client.closed();
      await proxy.assertCounted(origin);
    });
  }

  it("is closed behind the answer if the client wants so, and the origin's with it", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t);
    const head = requestHead("GET", `${origin.url}/`, "Connection: close");
    const client = await openRaw(t, proxy.endpoint.port, head);
    assert.match(await client.closed(), /\r\nConnection: close\r\n(.+\r\n)*\r\nGET \/$/);
    await closed((await origin.connection(0)).socket);
    await proxy.assertCounted(origin);
  });

  it("goes on if the origin closes its own behind the answer", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const closing = await startRawOrigin(t, (request, connection) => {
      connection.send(answerText(request.startLine, "Connection: close"));
      connection.socket.end();
      return undefined;
    });
    const client = await openRaw(t, proxy.endpoint.port);
    for (let index = 0; index < 3; index++) {
      client.send(requestHead("POST", `${closing.url}/${index}`, "Content-Length: 0"));
      const answers = await readAnswers(client, index + 1);
      assert.equal(answers[index]?.body, `POST /${index} HTTP/1.1`);
      assert.deepEqual(answers.map(statusOf), Array(index + 1).fill(200));
    }
    assert.equal(closing.connections.length, 3);
    await proxy.assertCounted(closing);
  });

  it("opens a new connection where the origin has closed the idle one", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t);
    const client = await openRaw(t, proxy.endpoint.port);
    for (const [index, method] of ["GET", "POST", "GET"].entries()) {
      client.send(requestHead(method, `${origin.url}/${index}`, "Content-Length: 0"));
      const answers = await readAnswers(client, index + 1);
      assert.equal(answers[index]?.body, `${method} /${index}`);
      const { socket } = await origin.connection(index);
      socket.end();
      await closed(socket);
    }
    assert.equal(origin.requests.length, 3);
    await proxy.assertCounted(origin);
  });

  for (const method of ["GET", "HEAD", "OPTIONS"]) {
    it(`repeats ${method} once if the origin closed the kept connection upon it`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t, ({ startLine }, connection) => {
        if (!startLine.includes("/again") || origin.connections.length > 1) return answerText("");
        connection.socket.destroy();
        return undefined;
      });
      const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`));
      await readAnswers(client, 1);
      client.send(requestHead(method, `${origin.url}/again`));
      const [, second] = await readAnswers(client, 2);
      assert.equal(second && statusOf(second), 200);
      assert.deepEqual(
        origin.requests.map(({ startLine }) => startLine),
        ["GET / HTTP/1.1", `${method} /again HTTP/1.1`, `${method} /again HTTP/1.1`],
      );
    });
  }

  it("repeats a request once, not again and again", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t, ({ startLine }, connection) => {
      if (!startLine.includes("/again")) return answerText("");
      connection.socket.destroy();
      return undefined;
    });
    const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`));
    await readAnswers(client, 1);
    client.send(requestHead("GET", `${origin.url}/again`), requestHead("GET", `${origin.url}/next`));
    assert.deepEqual((await readAnswers(client, 3)).map(statusOf), [200, 502, 200]);
    assert.equal(origin.requests.filter(({ startLine }) => startLine.includes("/again")).length, 2);
  });

  const unrepeatable: readonly (readonly [method: string, framing: string, body: string])[] = [
    ["POST", "Content-Length: 0", ""],
    ["POST", "Content-Length: 4", "body"],
    ["POST", "Transfer-Encoding: chunked", chunked("body")],
    ["PUT", "Content-Length: 4", "body"],
    ["DELETE", "X-None: 1", ""],
    ["PATCH", "Content-Length: 0", ""],
    ["GET", "Content-Length: 4", "body"],
  ];
  for (const [method, framing, body] of unrepeatable) {
    it(`never sends ${method} with ${framing} twice`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t, ({ startLine }, connection) => {
        if (!startLine.includes("/once")) return answerText("");
        connection.socket.destroy();
        return undefined;
      });
      const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`));
      await readAnswers(client, 1);
      client.send(requestHead(method, `${origin.url}/once`, framing), body);
      client.send(requestHead("GET", `${origin.url}/next`));
      assert.deepEqual((await readAnswers(client, 3)).map(statusOf), [200, 502, 200]);
      assert.equal(origin.requests.filter(({ startLine }) => startLine.includes("/once")).length, 1);
    });
  }

  it("becomes a tunnel with CONNECT, its requests being answered", io, async (t) => {
    const proxy = await startCountedProxy(t, { users: [alice] });
    const [origin, other] = [await startRawOrigin(t), await startRawOrigin(t)];
    const client = await openRaw(t, proxy.endpoint.port);
    client.send(requestHead("GET", `${origin.url}/`, basicLogin(alice)));
    await readAnswers(client, 1);
    client.send(connectHead(other.host, basicLogin(alice)));
    await client.received("200 Connection established\r\n\r\n");
    await closed((await origin.connection(0)).socket);
    client.send("GET /inside HTTP/1.1\r\nProxy-Connection: x\r\n\r\n");
    await client.received("GET /inside");
    assert.equal(other.connections[0]?.text, "GET /inside HTTP/1.1\r\nProxy-Connection: x\r\n\r\n");
    await proxy.assertCounted(origin, other);
  });
});

describe("pipelined HTTP requests", () => {
  it("are answered in order, however slow the first origin is", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const [slow, fast] = [await startRawOrigin(t, silent), await startRawOrigin(t)];
    const client = await openRaw(t, proxy.endpoint.port);
    client.send(requestHead("GET", `${slow.url}/1`) + requestHead("GET", `${fast.url}/2`));
    const connection = await slow.connection(0);
    await connection.request(0);
    await turns(20);
    assert.equal(client.text, "");
    connection.send(answerText("slow"));
    assert.deepEqual(
      (await readAnswers(client, 2)).map(({ body }) => body),
      ["slow", "GET /2"],
    );
    await proxy.assertCounted(slow, fast);
  });

  it("are answered in order if the first origin is dead", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t);
    const dead = `http://127.0.0.1:${await closedPort()}`;
    const client = await openRaw(t, proxy.endpoint.port);
    client.send([dead, origin.url, dead, origin.url].map((url) => requestHead("GET", `${url}/`)).join(""));
    assert.deepEqual((await readAnswers(client, 4)).map(statusOf), [502, 200, 502, 200]);
    await proxy.assertCounted(origin);
  });

  it("are answered in order if the first user is blocked", io, async (t) => {
    const proxy = await startCountedProxy(t, { users: [alice, bob], blocked: ["bob"] });
    const origin = await startRawOrigin(t);
    const client = await openRaw(t, proxy.endpoint.port);
    const users = [bob, alice, bob, alice];
    client.send(users.map((user) => requestHead("GET", `${origin.url}/`, basicLogin(user))).join(""));
    assert.deepEqual((await readAnswers(client, 4)).map(statusOf), [403, 200, 403, 200]);
    assert.deepEqual(proxy.moved("user", "bob"), { up: 0, down: 0 });
    await proxy.assertCounted(origin);
  });

  it("are answered in order if some are faulty", io, async (t) => {
    const proxy = await startCountedProxy(t, { users: [alice] });
    const origin = await startRawOrigin(t);
    const client = await openRaw(t, proxy.endpoint.port);
    const good = requestHead("GET", `${origin.url}/`, basicLogin(alice));
    const noLogin = requestHead("GET", `${origin.url}/`);
    const noTarget = requestHead("GET", "/", basicLogin(alice));
    client.send([good, noLogin, good, noTarget, good].join(""));
    assert.deepEqual((await readAnswers(client, 5)).map(statusOf), [200, 407, 200, 400, 200]);
    assert.equal(origin.requests.length, 3);
    await proxy.assertCounted(origin);
  });

  it("with bodies are told apart", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t, ({ body }) => answerText(body.toUpperCase()));
    const client = await openRaw(t, proxy.endpoint.port);
    client.send(
      [
        requestHead("POST", `${origin.url}/`, "Content-Length: 5") + "first",
        requestHead("POST", `${origin.url}/`, "Transfer-Encoding: chunked") + chunked("sec", "ond"),
        requestHead("GET", `${origin.url}/`),
        requestHead("PUT", `${origin.url}/`, "Content-Length: 6") + "fourth",
      ].join(""),
    );
    const answers = await readAnswers(client, 4);
    assert.deepEqual(
      answers.map(({ body }) => body),
      ["FIRST", "SECOND", "", "FOURTH"],
    );
    await proxy.assertCounted(origin);
  });

  it("are all answered, thousands of them", { timeout: 60_000 }, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t);
    const client = await connectTo(t, proxy.endpoint);
    const count = 2_000;
    const indexes = Array.from({ length: count }, (_, index) => index);
    const requests = indexes.map((index) => requestHead("GET", `${origin.url}/${index}`));
    client.end(requests.join(""));
    const answers = messagesIn((await readAll(client)).toString());
    assert.deepEqual(
      answers.map(({ body }) => body),
      indexes.map((index) => `GET /${index}`),
    );
    assert.equal(origin.connections.length, 1);
    await proxy.assertCounted(origin);
  });

  it("that are complete when the client ends its side are all answered", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t);
    const client = await openRaw(t, proxy.endpoint.port);
    client.socket.end([1, 2, 3].map((index) => requestHead("GET", `${origin.url}/${index}`)).join(""));
    const heard = await client.closed();
    assert.deepEqual(heard.match(/GET \/\d/g), ["GET /1", "GET /2", "GET /3"]);
    await proxy.assertCounted(origin);
  });
});

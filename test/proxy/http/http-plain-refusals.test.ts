import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { User } from "../../../src/proxy/users.js";
import { startCountedProxy } from "../../helpers/counted-proxy.js";
import { basicLogin, connectHead } from "../../helpers/http-client.js";
import { answerText, readAnswers, requestHead, statusOf, valuesOf } from "../../helpers/http-messages.js";
import { openRaw } from "../../helpers/raw-http.js";
import { silent, startRawOrigin } from "../../helpers/raw-origin.js";
import { turns } from "../../helpers/timing.js";

const io = { timeout: 20_000 };
const alice: User = { username: "alice", password: "a" };
const bob: User = { username: "bob", password: "b" };

describe("a plain HTTP request that is refused", () => {
  const targets = (port: number) => [
    `https://127.0.0.1:${port}/`,
    `ftp://127.0.0.1:${port}/`,
    `http://user@127.0.0.1:${port}/`,
    `http://user:hunter2@127.0.0.1:${port}/`,
    `http://127.0.0.1:${port}/#fragment`,
    "http://127.0.0.1:0/",
    "http://127.0.0.1:65536/",
    "http://127.0.0.1:99999/",
    "/",
    `/?http://127.0.0.1:${port}/`,
    "*",
    `//127.0.0.1:${port}/`,
  ];
  for (const [index, title] of targets(80).entries()) {
    it(`for its target ${title} gets 400, and no origin a connection`, io, async (t) => {
      const proxy = await startCountedProxy(t);
      const origin = await startRawOrigin(t);
      const target = targets(origin.endpoint.port)[index] ?? assert.fail();
      const method = target === "*" ? "OPTIONS" : "GET";
      const client = await openRaw(t, proxy.endpoint.port, `${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const [refusal] = await readAnswers(client, 1);
      assert.equal(refusal && statusOf(refusal), 400);
      assert.deepEqual(origin.connections, []);
      assert.equal(proxy.store.size, 0);
      // It was complete, so the connection goes on.
      client.send(requestHead("GET", `${origin.url}/next`));
      assert.equal((await readAnswers(client, 2))[1]?.body, "GET /next");
      await proxy.assertCounted(origin);
    });
  }

  it("shows no password of its target, nor does the log", io, async (t) => {
    const proxy = await startCountedProxy(t, { users: [alice] });
    const client = await openRaw(t, proxy.endpoint.port);
    const login = basicLogin({ username: "alice", password: "a" });
    for (const target of [
      "http://u:hunter2@a/",
      "https://u:hunter2@a/",
      "http://u:hunter2@a:0/",
      "//u:hunter2@a/",
    ]) {
      client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n${login}\r\n\r\n`);
    }
    client.send(`CONNECT u:hunter2@a:80 HTTP/1.1\r\nHost: a\r\n${login}\r\n\r\n`);
    const heard = await client.closed();
    assert.equal(heard.match(/^HTTP\/1\.1 400 /gm)?.length, 5, heard);
    assert.doesNotMatch(heard, /hunter2/);
    assert.equal(proxy.logger.lines.length, 5);
    assert.doesNotMatch(JSON.stringify(proxy.logger.lines), /hunter2/);
  });

  const logins: readonly (readonly [title: string, header: string])[] = [
    ["no login", "X-None: 1"],
    ["a wrong password", basicLogin({ username: "alice", password: "b" })],
    ["an unknown user", basicLogin({ username: "carol", password: "a" })],
    ["a login for the origin", basicLogin(alice).replace("Proxy-", "")],
    ["another scheme", basicLogin(alice).replace("Basic", "Bearer")],
  ];
  for (const [title, header] of logins) {
    it(`for ${title} gets 407, and no origin a connection`, io, async (t) => {
      const proxy = await startCountedProxy(t, { users: [alice] });
      const origin = await startRawOrigin(t);
      const client = await openRaw(t, proxy.endpoint.port, requestHead("GET", `${origin.url}/`, header));
      const [refusal] = await readAnswers(client, 1);
      assert.ok(refusal !== undefined);
      assert.equal(statusOf(refusal), 407);
      assert.deepEqual(valuesOf(refusal, "proxy-authenticate"), ['Basic realm="proxy", charset="UTF-8"']);
      assert.deepEqual(origin.connections, []);
      assert.equal(proxy.store.size, 0);
      client.send(requestHead("GET", `${origin.url}/`, basicLogin(alice)));
      assert.equal((await readAnswers(client, 2))[1]?.body, "GET /");
      await proxy.assertCounted(origin);
    });
  }

  it("needs a login in each request of a connection", io, async (t) => {
    const proxy = await startCountedProxy(t, { users: [alice] });
    const origin = await startRawOrigin(t);
    const client = await openRaw(t, proxy.endpoint.port);
    client.send(requestHead("GET", `${origin.url}/1`, basicLogin(alice)));
    await readAnswers(client, 1);
    client.send(requestHead("GET", `${origin.url}/2`));
    assert.deepEqual((await readAnswers(client, 2)).map(statusOf), [200, 407]);
    assert.equal(origin.requests.length, 1);
    await proxy.assertCounted(origin);
  });

  it("while its body is still to come is the last one", io, async (t) => {
    const proxy = await startCountedProxy(t, { users: [alice] });
    const origin = await startRawOrigin(t);
    const client = await openRaw(t, proxy.endpoint.port);
    client.send(requestHead("POST", `${origin.url}/`, "Content-Length: 1000000"));
    await client.received("HTTP/1.1 407 ");
    client.send("x".repeat(1_000_000), requestHead("GET", `${origin.url}/`, basicLogin(alice)));
    client.socket.end();
    assert.match(await client.closed(), /\r\nConnection: close\r\n\r\n.*\n$/);
    assert.deepEqual(origin.connections, []);
    assert.equal(proxy.store.size, 0);
  });

  it("gets no 100 before", io, async (t) => {
    const proxy = await startCountedProxy(t, { users: [alice] });
    const client = await openRaw(t, proxy.endpoint.port);
    client.send(requestHead("POST", "http://127.0.0.1:1/", "Content-Length: 5", "Expect: 100-continue"));
    assert.match(await client.closed(), /^HTTP\/1\.1 407 /);
  });

  it("for a rule gets 403, is not tracked, and its connection goes on", io, async (t) => {
    const proxy = await startCountedProxy(t, { users: [bob], blocked: ["bob"] });
    const origin = await startRawOrigin(t);
    const head = requestHead("GET", `${origin.url}/`, basicLogin(bob));
    const client = await openRaw(t, proxy.endpoint.port, head, head);
    assert.deepEqual((await readAnswers(client, 2)).map(statusOf), [403, 403]);
    assert.equal(proxy.store.size, 0);
    assert.deepEqual(origin.connections, []);
  });

  it("gets its answer in turn, being CONNECT behind an unanswered request", io, async (t) => {
    const proxy = await startCountedProxy(t);
    const origin = await startRawOrigin(t, silent);
    const client = await openRaw(t, proxy.endpoint.port);
    client.send(requestHead("GET", `${origin.url}/`) + connectHead(origin.host) + "early payload");
    const connection = await origin.connection(0);
    await connection.request(0);
    await turns(10);
    assert.equal(client.text, "");
    connection.send(answerText("first"));
    const heard = await client.closed();
    assert.match(heard, /first(?=HTTP\/1\.1 400 Bad Request\r\n)/);
    assert.match(heard, /CONNECT behind an unanswered request\n$/);
    assert.equal(origin.connections.length, 1);
    await proxy.assertCounted(origin);
  });
});

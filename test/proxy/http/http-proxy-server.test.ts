import assert from "node:assert/strict";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { LoginBrake } from "../../../src/net/login-brake.js";
import { defaultClientTimes } from "../../../src/proxy/client-times.js";
import { HttpProxyServer } from "../../../src/proxy/http/http-proxy-server.js";
import type { ProxyRequest } from "../../../src/proxy/inbound.js";
import type { RejectionCode } from "../../../src/proxy/rejection.js";
import { Users, type User } from "../../../src/proxy/users.js";
import { readAll, readBytes, sha256 } from "../../helpers/bytes.js";
import { basicLogin, connectHead, readHttpAnswer } from "../../helpers/http-client.js";
import { answerText } from "../../helpers/http-messages.js";
import { createRandom } from "../../helpers/random.js";
import { socketPair } from "../../helpers/sockets.js";
import { closed, turns, until } from "../../helpers/timing.js";

const io = { timeout: 10_000 };
const alice: User = { username: "alice", password: "secret" };
const target = "example.com:443";
const destination = { host: "example.com", port: 443 };
const boundTo = { host: "192.0.2.1", port: 1080 };

interface Conversation {
  readonly client: Socket;
  readonly server: Socket;
  readonly requests: readonly ProxyRequest[];
  /** Resolves with the first request. */
  readonly requested: Promise<ProxyRequest>;
  readonly refusals: readonly string[];
  readonly http: HttpProxyServer;
}

interface ConversationOptions {
  readonly users?: readonly User[];
  readonly timeoutMs?: number;
}

async function converse(
  t: TestContext,
  { users = [], timeoutMs = 9_000 }: ConversationOptions = {},
): Promise<Conversation> {
  const { client, server } = await socketPair(t);
  const requests: ProxyRequest[] = [];
  const refusals: string[] = [];
  let resolve: (request: ProxyRequest) => void;
  const requested = new Promise<ProxyRequest>((settle) => (resolve = settle));
  const http = new HttpProxyServer({
    inbound: "in",
    users: new Users(users),
    logins: new LoginBrake(),
    times: { ...defaultClientTimes, handshakeMs: timeoutMs },
    onRequest: (request) => {
      requests.push(request);
      resolve(request);
    },
    onRefusal: (refused, reason) => {
      assert.equal(refused, server);
      refusals.push(reason);
    },
  });
  t.after(() => {
    http.close();
  });
  http.serve(server);
  return { client, server, requests, requested, refusals, http };
}

/** Reads the origin's end of a connection, and answers an end with an end, as origins do. */
function attend(origin: Duplex): void {
  origin.resume();
  origin.on("end", () => origin.end());
}

/** What the client hears in all, until the proxy ends the connection. */
async function hear({ client, server }: Conversation, sent: string | Buffer): Promise<string> {
  client.write(sent);
  const heard = await readAll(client);
  client.end();
  await closed(server);
  return heard.toString();
}

/** Answers each request that an origin gets with its path. @returns the paths, in order. */
function answerEach(origin: Duplex): readonly string[] {
  const paths: string[] = [];
  let text = "";
  origin.on("data", (bytes: Buffer) => {
    text += bytes.toString();
    for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
      const path = text.split(" ", 2)[1] ?? "";
      text = text.slice(end + 4);
      paths.push(path);
      origin.write(answerText(path));
    }
  });
  return paths;
}

function statusesOf(heard: string): string[] {
  return [...heard.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status ?? "");
}

describe("HttpProxyServer", () => {
  const targets: readonly (readonly [target: string, host: string, port: number])[] = [
    ["127.0.0.1:80", "127.0.0.1", 80],
    ["[::1]:443", "::1", 443],
    ["example.com:65535", "example.com", 65_535],
  ];
  for (const [text, host, port] of targets) {
    it(`takes CONNECT ${text}`, io, async (t) => {
      const { client, server, requested, requests, refusals } = await converse(t);
      client.write(connectHead(text));
      const request = await requested;
      assert.equal(request.client, server);
      assert.deepEqual(request.destination, { host, port });
      assert.deepEqual(request.source, { host: "127.0.0.1", port: client.localPort });
      assert.equal(request.inbound, "in");
      assert.equal(request.user, undefined);
      request.accept(boundTo);
      server.end();
      assert.equal((await readAll(client)).toString(), "HTTP/1.1 200 Connection established\r\n\r\n");
      assert.equal(requests.length, 1);
      assert.deepEqual(refusals, []);
    });
  }

  it("answers nothing to a request by itself", io, async (t) => {
    const { client, server, requested } = await converse(t);
    client.write(connectHead(target));
    await requested;
    server.end();
    assert.equal((await readAll(client)).length, 0);
  });

  it("takes CONNECT of HTTP/1.0", io, async (t) => {
    const { client, requested } = await converse(t);
    client.write(`CONNECT ${target} HTTP/1.0\r\n\r\n`);
    const request = await requested;
    request.accept(boundTo);
    assert.deepEqual(request.destination, destination);
    assert.equal((await readHttpAnswer(client)).status, 200);
  });

  it("takes a request that comes byte by byte", io, async (t) => {
    const { client, server, requested } = await converse(t, { users: [alice] });
    client.setNoDelay(true);
    for (const byte of Buffer.from(`${connectHead(target, basicLogin(alice))}payload`)) {
      client.write(Buffer.of(byte));
      await turns(2);
    }
    const request = await requested;
    assert.deepEqual(request.destination, destination);
    client.end();
    assert.equal((await readAll(server)).toString(), "payload");
  });

  it("goes by the target, whatever the Host header says", io, async (t) => {
    const { client, requested } = await converse(t);
    client.write(`CONNECT ${target} HTTP/1.1\r\nHost: elsewhere:1\r\n\r\n`);
    assert.deepEqual((await requested).destination, destination);
  });

  it("leaves what came behind the request to the next reader", io, async (t) => {
    const payload = createRandom(3).bytes(300_000);
    const { client, server, requested } = await converse(t);
    client.end(Buffer.concat([Buffer.from(connectHead(target)), payload]));
    (await requested).accept(boundTo);
    assert.equal(sha256(await readAll(server)), sha256(payload));
    server.end("late answer");
    const heard = (await readAll(client)).toString();
    assert.equal(heard, "HTTP/1.1 200 Connection established\r\n\r\nlate answer");
  });

  it("lets a client end early and still answers", io, async (t) => {
    const { client, server, requested } = await converse(t);
    client.end(connectHead(target));
    (await requested).accept(boundTo);
    assert.equal((await readAll(server)).length, 0);
    server.end("late answer");
    assert.match((await readAll(client)).toString(), /late answer$/);
  });

  it("does not read the connection's bytes as HTTP any more", io, async (t) => {
    const { client, server, requested, requests } = await converse(t);
    client.write(connectHead(target));
    (await requested).accept(boundTo);
    const second = connectHead("elsewhere:80");
    client.write(second);
    assert.equal((await readBytes(server, second.length)).toString(), second);
    assert.equal(requests.length, 1);
  });
});

describe("HttpProxyServer's login", () => {
  const encode = (text: string) => `Proxy-Authorization: Basic ${Buffer.from(text).toString("base64")}`;
  const users = [alice, { username: "zoë", password: "a:b:🔑" }];

  const right: readonly (readonly [title: string, header: string, user: string])[] = [
    ["the right password", encode("alice:secret"), "alice"],
    ["a scheme in small letters", encode("alice:secret").replace("Basic", "basic"), "alice"],
    [
      "a header in small letters",
      encode("alice:secret").toLowerCase().slice(0, 20) + encode("alice:secret").slice(20),
      "alice",
    ],
    ["colons in the password, and UTF-8", encode("zoë:a:b:🔑"), "zoë"],
    ["blanks around it", encode("alice:secret").replace("Basic ", "  Basic   ") + "  ", "alice"],
    ["no padding", "Proxy-Authorization: Basic YWxpY2U6c2VjcmV0", "alice"],
  ];
  for (const [title, header, user] of right) {
    it(`takes ${title}`, io, async (t) => {
      const { client, requested } = await converse(t, { users });
      client.write(connectHead(target, header));
      assert.equal((await requested).user, user);
    });
  }

  const wrong: readonly (readonly [title: string, header: string])[] = [
    ["no login", "X-Nothing: here"],
    ["an empty login", "Proxy-Authorization:"],
    ["a scheme alone", "Proxy-Authorization: Basic"],
    ["a login without a colon", encode("alice")],
    ["a wrong password", encode("alice:Secret")],
    ["an empty password", encode("alice:")],
    ["an unknown user", encode("mallory:secret")],
    ["an empty name", encode(":secret")],
    ["a login for the origin", encode("alice:secret").replace("Proxy-", "")],
    ["another scheme", "Proxy-Authorization: Bearer YWxpY2U6c2VjcmV0"],
    ["a password in clear", "Proxy-Authorization: Basic alice:secret"],
    ["a right login behind a wrong one", `${encode("alice:no")}\r\n${encode("alice:secret")}`],
  ];
  for (const [title, header] of wrong) {
    it(`answers ${title} with 407`, io, async (t) => {
      const conversation = await converse(t, { users });
      const heard = await hear(conversation, connectHead(target, header));
      assert.deepEqual(statusesOf(heard), ["407"]);
      assert.match(heard, /\r\nProxy-Authenticate: Basic realm="proxy", charset="UTF-8"\r\n/);
      assert.match(heard, /\r\n\r\na username and its password are required\n$/);
      assert.deepEqual(conversation.requests, []);
      assert.deepEqual(conversation.refusals, ["a username and its password are required"]);
    });
  }

  it("is asked for before the target is looked at", io, async (t) => {
    const heard = await hear(await converse(t, { users }), connectHead("nonsense"));
    assert.deepEqual(statusesOf(heard), ["407"]);
  });

  it("names nobody where nobody has to log in", io, async (t) => {
    const { client, requested } = await converse(t);
    client.write(connectHead(target, encode("alice:secret")));
    assert.equal((await requested).user, undefined);
  });
});

describe("HttpProxyServer's refusal", () => {
  const targets = [
    "example.com",
    "example.com:",
    "example.com:0",
    "example.com:65536",
    ":80",
    "[]:80",
    "::1:80",
    "http://example.com:80",
    "example.com:80/path",
  ];
  for (const text of targets) {
    it(`of CONNECT ${text} is 400`, io, async (t) => {
      const conversation = await converse(t);
      const heard = await hear(conversation, connectHead(text));
      const reason = `CONNECT target "${text}" is not HOST:PORT with a port from 1 to 65535`;
      assert.deepEqual(statusesOf(heard), ["400"]);
      assert.ok(heard.endsWith(`\r\n\r\n${reason}\n`), heard);
      assert.deepEqual(conversation.refusals, [reason]);
      assert.deepEqual(conversation.requests, []);
    });
  }

  it("shows no user info of a CONNECT target", io, async (t) => {
    const conversation = await converse(t);
    const heard = await hear(conversation, connectHead("user:se@cret@example.com:80"));
    const reason = `CONNECT target "…@example.com:80" is not HOST:PORT with a port from 1 to 65535`;
    assert.deepEqual(statusesOf(heard), ["400"]);
    assert.ok(heard.endsWith(`\r\n\r\n${reason}\n`), heard);
    assert.deepEqual(conversation.refusals, [reason]);
  });

  const withoutUrl = [
    "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: example.com\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\n\r\nhello",
    "GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
  ];
  for (const text of withoutUrl) {
    it(`of ${JSON.stringify(text.slice(0, 40))} is 400`, io, async (t) => {
      const conversation = await converse(t);
      conversation.client.write(text);
      const { status, head } = await readHttpAnswer(conversation.client);
      assert.equal(status, 400);
      assert.match(head, /\r\nContent-Length: \d+\r\n/);
      assert.match(conversation.refusals.join(), /is no absolute URL, which a proxy needs/);
      assert.deepEqual(conversation.requests, []);
    });
  }

  const malformed: readonly (readonly [title: string, text: string])[] = [
    ["garbage", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000"],
    ["an unknown method", "FETCH / HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["another protocol", `CONNECT ${target} ICY/1.0\r\n\r\n`],
    ["an unknown version", `CONNECT ${target} HTTP/4.2\r\n\r\n`],
    ["no target", "CONNECT  HTTP/1.1\r\n\r\n"],
    ["a target with a blank", "CONNECT exa mple.com:80 HTTP/1.1\r\n\r\n"],
    ["two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
    [
      "a length beside an encoding",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ["a bare line feed in the head", `CONNECT ${target} HTTP/1.1\r\nHost: a\nX: y\r\n\r\n`],
    ["a bare carriage return in the head", `CONNECT ${target} HTTP/1.1\r\nHost: a\rX: y\r\n\r\n`],
    ["a header without a name", `CONNECT ${target} HTTP/1.1\r\n: a\r\n\r\n`],
    ["a blank before the colon", `CONNECT ${target} HTTP/1.1\r\nHost : a\r\n\r\n`],
    ["a folded header", `CONNECT ${target} HTTP/1.1\r\nHost: a\r\n b\r\n\r\n`],
    ["a zero byte in a header", `CONNECT ${target} HTTP/1.1\r\nHost: a\u0000b\r\n\r\n`],
  ];
  for (const [title, text] of malformed) {
    it(`of ${title} is 400`, io, async (t) => {
      const conversation = await converse(t);
      const heard = await hear(conversation, text);
      assert.deepEqual(statusesOf(heard), ["400"]);
      assert.deepEqual(conversation.requests, []);
      assert.equal(conversation.refusals.length, 1);
    });
  }

  it("of a head that is too long is 431", io, async (t) => {
    const conversation = await converse(t);
    const heard = await hear(conversation, connectHead(target, `X: ${"x".repeat(70_000)}`));
    assert.deepEqual(statusesOf(heard), ["431"]);
    assert.deepEqual(conversation.requests, []);
  });

  const pushy: readonly (readonly [status: string, head: string])[] = [
    ["400", connectHead("nonsense")],
    ["407", connectHead(target)],
    ["400", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2097153\r\n\r\n"],
    ["400", `CONNECT ${target} HTTP/4.2\r\n\r\n`],
    ["431", connectHead(target, `X: ${"x".repeat(70_000)}`)],
  ];
  for (const [status, head] of pushy) {
    it(`with ${status} is not lost although the client goes on sending`, io, async (t) => {
      const { client, server, refusals } = await converse(t, { users: status === "407" ? [alice] : [] });
      client.write(head);
      client.end(createRandom(1).bytes(2 * 1024 * 1024));
      assert.deepEqual(statusesOf((await readAll(client)).toString()), [status]);
      await closed(server);
      assert.equal(server.errored, null);
      assert.equal(server.bytesRead, head.length + 2 * 1024 * 1024);
      assert.equal(refusals.length, 1);
    });
  }

  const followed: readonly (readonly [title: string, text: string, statuses: readonly string[]])[] = [
    ["another such request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", ["400", "400"]],
    ["garbage", "\u0000\u0000\u0000\u0000", ["400", "400"]],
    [
      "a request that ends the connection",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      ["400", "400"],
    ],
  ];
  for (const [title, text, statuses] of followed) {
    it(`of a request that is complete lets the connection go on, here with ${title}`, io, async (t) => {
      const conversation = await converse(t);
      const { client } = conversation;
      client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      const { head } = await readHttpAnswer(client);
      assert.match(head, /^HTTP\/1\.1 400 .*\r\nConnection: keep-alive\r\n/s);
      client.end(text);
      assert.deepEqual(statusesOf(head + (await readAll(client)).toString()), statuses);
      assert.equal(conversation.refusals.length, 2);
      assert.deepEqual(conversation.requests, []);
    });
  }

  it("of a request that is complete lets a CONNECT follow", io, async (t) => {
    const { client, server, requested } = await converse(t, { users: [alice] });
    client.write("GET http://example.com/ HTTP/1.1\r\nHost: a\r\n\r\n");
    const { status, head } = await readHttpAnswer(client);
    assert.equal(status, 407);
    await readBytes(client, Number(/Content-Length: (\d+)/.exec(head)?.[1]));
    client.write(connectHead(target, basicLogin(alice)));
    (await requested).accept(boundTo);
    assert.equal((await readHttpAnswer(client)).status, 200);
    client.write("payload");
    assert.equal((await readBytes(server, 7)).toString(), "payload");
  });

  const lastWords: readonly (readonly [title: string, first: string])[] = [
    ["of a CONNECT target", connectHead("nonsense")],
    ["of garbage", "\u0000\u0000\u0000\u0000"],
    ["of a request that is not complete", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n"],
  ];
  for (const [title, first] of lastWords) {
    it(`${title} is the last word`, io, async (t) => {
      const conversation = await converse(t);
      const sent = `${first}${"x".repeat(800_000)}${connectHead(target)}`;
      const heard = await hear(conversation, sent);
      assert.deepEqual(statusesOf(heard), ["400"]);
      assert.equal(conversation.refusals.length, 1);
      assert.deepEqual(conversation.requests, []);
      assert.equal(conversation.server.bytesRead, sent.length);
      assert.equal(conversation.server.errored, null);
    });
  }

  const statuses: readonly (readonly [code: RejectionCode, status: string])[] = [
    ["refused", "502"],
    ["network-unreachable", "502"],
    ["host-unreachable", "502"],
    ["unresolved", "502"],
    ["timeout", "504"],
    ["failed", "502"],
  ];
  for (const [code, status] of statuses) {
    it(`of a connection that is ${code} is ${status}, with the reason`, io, async (t) => {
      const conversation = await converse(t);
      void conversation.requested.then((request) => {
        request.reject({ code, message: "connect to a:1: no" });
      });
      const heard = await hear(conversation, `${connectHead(target)}${"x".repeat(1_000_000)}`);
      assert.deepEqual(statusesOf(heard), [status]);
      assert.match(heard, /\r\nConnection: close\r\n\r\nconnect to a:1: no\n$/);
    });
  }
});

describe("HttpProxyServer's patience", () => {
  const heads: readonly (readonly [title: string, sent: string])[] = [
    ["one byte", "C"],
    ["a request line", `CONNECT ${target} HTTP/1.1\r\n`],
    ["all but the last byte", connectHead(target).slice(0, -1)],
  ];
  for (const [title, sent] of heads) {
    it(`ends with a client that sends ${title}`, io, async (t) => {
      const conversation = await converse(t, { timeoutMs: 50 });
      const heard = await hear(conversation, sent);
      assert.deepEqual(statusesOf(heard), ["408"]);
      assert.deepEqual(conversation.requests, []);
    });
  }

  it("ends with a client that sends nothing", io, async (t) => {
    const conversation = await converse(t, { timeoutMs: 50 });
    assert.deepEqual(statusesOf(await hear(conversation, "")), ["408"]);
    assert.deepEqual(conversation.requests, []);
  });

  it("does not watch a connection that stands", io, async (t) => {
    const { client, server, requested } = await converse(t, { timeoutMs: 20 });
    client.write(connectHead(target));
    (await requested).accept(boundTo);
    await readHttpAnswer(client);
    // As long as another client, which came later, needs to run out of it.
    const other = await converse(t, { timeoutMs: 60 });
    await readAll(other.client);
    client.write("x");
    assert.equal((await readBytes(server, 1)).toString(), "x");
  });
});

describe("HttpProxyServer's patience, when it becomes shorter", () => {
  it("holds for who comes then, and for who has come before", io, async (t) => {
    const times = { ...defaultClientTimes, handshakeMs: 3_600_000 };
    const http = new HttpProxyServer({
      ...{ inbound: "in", users: new Users([]), logins: new LoginBrake(), times },
      onRequest: () => undefined,
      onRefusal: () => undefined,
    });
    t.after(() => {
      http.close();
    });
    const serveLate = async (): Promise<Socket> => {
      const { client, server } = await socketPair(t);
      http.serve(server);
      client.write("GET http://a.test/ HTTP/1.1\r\nHost:");
      return client;
    };
    const before = await serveLate();
    times.handshakeMs = 30;
    for (const client of [await serveLate(), before]) {
      assert.deepEqual(statusesOf((await readAll(client)).toString()), ["408"]);
    }
  });
});

describe("HttpProxyServer with plain requests", () => {
  const head = (path: string) => `GET http://example.com${path} HTTP/1.1\r\nHost: example.com\r\n\r\n`;

  it("asks for a connection to the origin, which is a client's like any other", io, async (t) => {
    const { client, requested, requests } = await converse(t, { users: [alice] });
    client.write(head("/a").replace("Host", `${basicLogin(alice)}\r\nHost`));
    const request = await requested;
    assert.equal(request.inbound, "in");
    assert.equal(request.user, "alice");
    assert.deepEqual(request.source, { host: "127.0.0.1", port: client.localPort });
    assert.deepEqual(request.destination, { host: "example.com", port: 80 });
    request.accept(boundTo);
    const received = "GET /a HTTP/1.1\r\nHost: example.com\r\nConnection: keep-alive\r\n\r\n";
    assert.equal((await readBytes(request.client, received.length)).toString(), received);
    request.client.write(answerText("hello"));
    const answer = await readHttpAnswer(client);
    assert.equal(answer.status, 200);
    assert.equal((await readBytes(client, 5)).toString(), "hello");
    assert.equal(requests.length, 1);
  });

  const statuses: readonly (readonly [code: RejectionCode, status: number])[] = [
    ["refused", 502],
    ["unresolved", 502],
    ["timeout", 504],
    ["failed", 502],
    ["blocked", 403],
  ];
  for (const [code, status] of statuses) {
    it(`answers ${status} to one whose origin is ${code}, and goes on`, io, async (t) => {
      const { client, requests, refusals } = await converse(t);
      for (const count of [1, 2]) {
        client.write(head("/"));
        await until(() => requests.length === count);
        requests.at(-1)?.reject({ code, message: "no ü" });
        assert.equal((await readHttpAnswer(client)).status, status);
        assert.equal((await readBytes(client, 6)).toString(), "no ü\n");
      }
      assert.deepEqual(refusals, ["no ü", "no ü"]);
    });
  }

  it("reads no more of a client than it can answer soon", { timeout: 60_000 }, async (t) => {
    const { client, server, requested } = await converse(t);
    const count = 10_000;
    const sent = Array.from({ length: count }, (_, index) => head(`/${index}.`)).join("");
    client.write(sent);
    const origin = (await requested).client;
    await turns(100);
    const held = server.bytesRead;
    assert.ok(held < 256 * 1024, `${held} of ${sent.length} bytes read`);
    const asked = answerEach(origin);
    client.end();
    const heard = (await readAll(client)).toString();
    assert.equal(asked.length, count);
    const paths = heard.match(/^\/\d+\.(?=HTTP|$)/gm);
    assert.deepEqual(
      paths,
      Array.from({ length: count }, (_, index) => `/${index}.`),
    );
  });
});

describe("HttpProxyServer's patience with a client that it does not read", () => {
  it("has no end", { timeout: 60_000 }, async (t) => {
    const { client, requested } = await converse(t, { timeoutMs: 50 });
    const count = 3_000;
    const head = "GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n";
    client.end(head.repeat(count));
    const origin = (await requested).client;
    // As long as another client, which came later, needs to run out of it.
    const other = await converse(t, { timeoutMs: 100 });
    await hear(other, "C");
    answerEach(origin);
    const statuses = statusesOf((await readAll(client)).toString());
    assert.deepEqual([statuses.length, new Set(statuses)], [count, new Set(["200"])]);
  });
});

describe("HttpProxyServer's close", () => {
  const head = "GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n";

  it("closes a client that has said nothing", io, async (t) => {
    const { client, server, http } = await converse(t);
    http.close();
    await closed(server);
    assert.equal((await readAll(client)).length, 0);
  });

  it("closes a client within the head of a request, twice if need be", io, async (t) => {
    const { client, server, http } = await converse(t);
    client.write(head.slice(0, -1));
    await until(() => server.bytesRead === head.length - 1);
    http.close();
    http.close();
    await closed(server);
    assert.equal((await readAll(client)).length, 0);
  });

  it("closes a client between two requests, and its origin's connection", io, async (t) => {
    const { client, server, http, requested } = await converse(t);
    client.write(head);
    const origin = (await requested).client;
    attend(origin);
    origin.write(answerText("hello"));
    await readHttpAnswer(client);
    await readBytes(client, 5);
    await turns(5);
    http.close();
    await closed(server);
    await closed(origin);
    assert.equal((await readAll(client)).length, 0);
  });

  it("lets an answer under way come to its end, and closes then", io, async (t) => {
    const { client, server, http, requested } = await converse(t);
    client.write(head);
    const origin = (await requested).client;
    attend(origin);
    origin.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
    await readHttpAnswer(client);
    assert.equal((await readBytes(client, 5)).toString(), "first");
    http.close();
    await turns(20);
    origin.write("secnd");
    assert.equal((await readAll(client)).toString(), "secnd");
    client.end();
    await closed(server);
    await closed(origin);
  });

  it("lets a request wait for its answer, and closes then", io, async (t) => {
    const { client, server, http, requested } = await converse(t);
    client.write(head);
    const origin = (await requested).client;
    attend(origin);
    http.close();
    await turns(20);
    origin.write(answerText("late"));
    assert.match((await readAll(client)).toString(), /^HTTP\/1\.1 200 OK\r\n(.+\r\n)*\r\nlate$/);
    client.end();
    await closed(server);
    await closed(origin);
  });

  it("leaves a tunnel alone", io, async (t) => {
    const { client, server, http, requested } = await converse(t);
    client.write(connectHead(target));
    (await requested).accept(boundTo);
    await readHttpAnswer(client);
    http.close();
    await turns(20);
    client.write("x");
    assert.equal((await readBytes(server, 1)).toString(), "x");
  });
});

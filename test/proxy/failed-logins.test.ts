import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import { LoginBrake, type LoginBrakeOptions } from "../../src/net/login-brake.js";
import type { ProxyRequest } from "../../src/proxy/inbound.js";
import { ProxyInbound } from "../../src/proxy/proxy-inbound.js";
import type { User } from "../../src/proxy/users.js";
import { readAll, readBytes } from "../helpers/bytes.js";
import { basicLogin, connectHead, readHttpAnswer } from "../helpers/http-client.js";
import { connectTo } from "../helpers/proxy.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { closeAfter } from "../helpers/sockets.js";
import { socks4Request } from "../helpers/socks4-client.js";
import { socks5Greeting, socks5Login, socks5Request } from "../helpers/socks5-client.js";
import { closed, turns, until } from "../helpers/timing.js";

const io = { timeout: 10_000 };
const alice: User = { username: "alice", password: "secret" };
const guess: User = { username: "alice", password: "guess" };
const destination = { host: "a.test", port: 80 };
const never = new AbortController().signal;

interface Entrance {
  readonly inbound: ProxyInbound;
  readonly address: Endpoint;
  readonly logins: LoginBrake;
  readonly logger: RecordingLogger;
  readonly requests: readonly ProxyRequest[];
}

/** An inbound with a user, behind a brake whose clock only the test moves on. */
async function open(t: TestContext, options: LoginBrakeOptions = {}): Promise<Entrance> {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const requests: ProxyRequest[] = [];
  const logger = new RecordingLogger();
  const logins = new LoginBrake({ logger, ...options });
  const inbound = new ProxyInbound({
    ...{ tag: "in", type: "mixed", listen: { host: "127.0.0.1", port: 0 }, users: [alice], logins, logger },
    onRequest: async (request) => {
      requests.push(request);
      request.reject({ code: "refused", message: "there is nothing" });
      await closed(request.client);
    },
  });
  closeAfter(t, inbound);
  return { inbound, address: await inbound.start(), logins, logger, requests };
}

/** A way to log in: what is sent in one go, with the request behind it, and how an answer that refuses the login begins. */
interface Way {
  readonly way: string;
  readonly messages: (user: User) => Buffer;
  readonly refusal: string;
  /** What is heard when the inbound stops meanwhile. */
  readonly atStop: string;
  readonly answerTo: (client: Socket) => Promise<string>;
}

const httpStatus = async (client: Socket) => String((await readHttpAnswer(client)).status);
const ways: readonly Way[] = [
  {
    way: "SOCKS5",
    messages: ({ username, password }) =>
      Buffer.concat([socks5Greeting(2), socks5Login(username, password), socks5Request(destination)]),
    refusal: "05020101",
    atStop: "\x05\x02",
    answerTo: async (client) => (await readBytes(client, 4)).toString("hex"),
  },
  {
    way: "CONNECT",
    messages: (user) => Buffer.from(`${connectHead("a.test:80", basicLogin(user))}early data`),
    refusal: "407",
    atStop: "HTTP/1.1 407 ",
    answerTo: httpStatus,
  },
  {
    way: "plain HTTP",
    messages: (user) => Buffer.from(plainRequest(basicLogin(user))),
    refusal: "407",
    atStop: "HTTP/1.1 407 ",
    answerTo: httpStatus,
  },
];

function plainRequest(...headers: readonly string[]): string {
  return ["GET http://a.test/ HTTP/1.1", "Host: a.test", ...headers, "", ""].join("\r\n");
}

/** Logs in wrongly, and reads the answer. */
async function failAt(t: TestContext, { address }: Entrance, way: Way): Promise<void> {
  const client = await connectTo(t, address);
  client.write(way.messages(guess));
  assert.equal(await way.answerTo(client), way.refusal);
  client.destroy();
}

/** Logs in wrongly once more than is answered at once. */
async function failLate(t: TestContext, entrance: Entrance, way: Way): Promise<Socket> {
  const client = await connectTo(t, entrance.address);
  client.write(way.messages(guess));
  const { late } = entrance.logins.failed;
  await until(() => entrance.logins.failed.late > late);
  return client;
}

for (const way of ways) {
  describe(`wrong logins by ${way.way}`, () => {
    it("are answered at once ten times, and then late, while a right one never waits", io, async (t) => {
      const entrance = await open(t);
      for (let count = 0; count < 10; count++) await failAt(t, entrance, way);
      const late = await failLate(t, entrance, way);
      const answer = way.answerTo(late);
      for (const { messages } of ways) {
        const client = await connectTo(t, entrance.address);
        client.write(messages(alice));
        const before = entrance.requests.length;
        await until(() => entrance.requests.length > before);
        client.destroy();
      }
      assert.deepEqual(
        entrance.requests.map(({ user }) => user),
        ["alice", "alice", "alice"],
      );
      assert.deepEqual(entrance.logins.failed, { atOnce: 10, late: 1, unanswered: 0 });
      t.mock.timers.tick(2_000);
      assert.equal(await answer, way.refusal);
      const warnings = entrance.logger.lines.filter(({ level }) => level === "warn");
      assert.deepEqual(warnings, [
        { level: "warn", message: "wrong logins are answered late", fields: { source: "127.0.0.1" } },
      ]);
    });

    it("let the connection do nothing while their answer waits", io, async (t) => {
      const entrance = await open(t, { freeCount: 0 });
      const client = await failLate(t, entrance, way);
      client.write(way.messages(alice));
      let heard = 0;
      client.on("data", ({ length }: Buffer) => (heard += length));
      await turns(20);
      // A method of logging in is all that was said.
      assert.equal(heard, way.way === "SOCKS5" ? 2 : 0);
      assert.deepEqual(entrance.requests, []);
      client.destroy();
    });

    it("do not hold up the stop", io, async (t) => {
      const entrance = await open(t, { freeCount: 0 });
      const client = await failLate(t, entrance, way);
      const heard = readAll(client);
      const stopped = entrance.inbound.stop(never);
      const [answer] = await Promise.all([heard, closed(client.end())]);
      assert.equal(answer.toString("latin1").slice(0, way.atStop.length), way.atStop);
      await stopped;
    });

    it("make no room by leaving before their time", io, async (t) => {
      const entrance = await open(t, { freeCount: 0, maxWaiting: 1 });
      const client = await failLate(t, entrance, way);
      client.resetAndDestroy();
      const { failed } = entrance.logins;
      const failAgain = async (): Promise<void> => {
        (await connectTo(t, entrance.address)).write(way.messages(guess));
      };
      // While these come, it becomes known that the client has left.
      for (let count = 1; count <= 5; count++) {
        await failAgain();
        await until(() => failed.unanswered === count);
      }
      t.mock.timers.tick(2_000);
      await failAgain();
      await until(() => failed.late === 2);
      assert.equal(failed.unanswered, 5);
    });

    it("are not answered where too many wait", io, async (t) => {
      const entrance = await open(t, { freeCount: 0, maxWaitingPerSource: 1 });
      await failLate(t, entrance, way);
      const client = await connectTo(t, entrance.address);
      let heard = 0;
      client.on("data", ({ length }: Buffer) => (heard += length));
      client.write(way.messages(guess));
      // A reset right behind data may look like an end.
      client.once("end", () => client.end());
      await closed(client);
      assert.equal(heard, way.way === "SOCKS5" ? 2 : 0);
      assert.deepEqual(entrance.logins.failed, { atOnce: 0, late: 1, unanswered: 1 });
    });

    it("count wherever they are tried", io, async (t) => {
      const entrance = await open(t, { freeCount: ways.length });
      for (const other of ways) await failAt(t, entrance, other);
      await failLate(t, entrance, way);
    });
  });
}

describe("what is no guess", () => {
  const asks: readonly (readonly [what: string, sent: string | Buffer, start: string])[] = [
    ["a CONNECT without a login", connectHead("a.test:80"), "HTTP/1.1 407 "],
    ["a request without a login", plainRequest("Connection: close"), "HTTP/1.1 407 "],
    ["a login of another scheme", connectHead("a.test:80", "Proxy-Authorization: Digest x"), "HTTP/1.1 407 "],
    ["a SOCKS5 client that cannot log in", socks5Greeting(0), "\x05\xff"],
    [
      "a SOCKS5 login of another version",
      Buffer.concat([socks5Greeting(2), Buffer.of(5)]),
      "\x05\x02\x01\x01",
    ],
    [
      "a SOCKS4 client, whose user id proves nothing",
      socks4Request({ host: "192.0.2.1", port: 1 }),
      "\x00\x5b",
    ],
  ];
  for (const [what, sent, start] of asks) {
    it(`is answered at once, however often: ${what}`, io, async (t) => {
      const entrance = await open(t, { freeCount: 0 });
      for (let count = 0; count < 12; count++) {
        const client = await connectTo(t, entrance.address);
        client.write(sent);
        const heard = (await readAll(client)).toString("latin1");
        assert.equal(heard.slice(0, start.length), start);
        client.destroy();
      }
      assert.deepEqual(entrance.logins.failed, { atOnce: 0, late: 0, unanswered: 0 });
    });
  }
});

describe("a wrong login behind another request", () => {
  it("is answered late in its turn, and what comes behind it after that", io, async (t) => {
    const entrance = await open(t, { freeCount: 0 });
    const client = await connectTo(t, entrance.address);
    client.write(plainRequest() + plainRequest(basicLogin(guess)) + plainRequest());
    assert.equal(await httpStatus(client), "407");
    await readBytes(client, "a username and its password are required\n".length);
    await until(() => entrance.logins.failed.late === 1);
    t.mock.timers.tick(2_000);
    assert.equal(await httpStatus(client), "407");
    await readBytes(client, "a username and its password are required\n".length);
    assert.equal(await httpStatus(client), "407");
    assert.deepEqual(entrance.logins.failed, { atOnce: 0, late: 1, unanswered: 0 });
  });

  it("is answered with what broke the connection meanwhile, if something did", io, async (t) => {
    const entrance = await open(t, { freeCount: 0 });
    const client = await connectTo(t, entrance.address);
    const head = plainRequest(basicLogin(guess), "Transfer-Encoding: chunked").replace("GET", "POST");
    client.write(head);
    await until(() => entrance.logins.failed.late === 1);
    client.write("no chunk\r\n");
    await turns(20);
    t.mock.timers.tick(2_000);
    assert.equal(await httpStatus(client), "400");
  });
});

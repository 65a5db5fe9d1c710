import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import type { Endpoint } from "../src/net/endpoint.js";
import { startDestination } from "./helpers/destination.js";
import { endingOf } from "./helpers/ending.js";
import { readHttpAnswer } from "./helpers/http-client.js";
import { askProxy, proxyProtocols, type ProxyProtocol } from "./helpers/proxy.js";
import { userOf, usersOf } from "./helpers/proxy-ways.js";
import { RecordingLogger } from "./helpers/recording-logger.js";
import { closeAfter, closedPort } from "./helpers/sockets.js";
import { hearSocks5, serveSocks5, socks5Reply } from "./helpers/socks5-upstream.js";
import { assertMoved, startTestApp } from "./helpers/test-app.js";
import { startTlsFront } from "./helpers/tls-front.js";
import { closed } from "./helpers/timing.js";
import { failOnUnhandled } from "./helpers/unhandled.js";

const io = { timeout: 20_000 };
const nothing = { up: 0, down: 0 };
const destination: Endpoint = { host: "example.com", port: 443 };
const password = "zqxjkvbw";

/** A way in which an upstream proxy gives no connection. */
interface Failure {
  readonly title: string;
  readonly type: "socks" | "http";
  /** What it does with a connection; where it never says anything, nothing. */
  readonly play: (client: Socket) => unknown;
  /** Keys of the outbound's config. */
  readonly keys?: object;
  /** What clients of our own are told. */
  readonly answers: Readonly<Record<ProxyProtocol, number>>;
  /** What the log says. */
  readonly reason: RegExp;
}

const failed = { socks5: 1, http: 502 };
const blocked = { socks5: 2, http: 403 };
const timeout = { socks5: 4, http: 504 };
const login = { username: "us", password };
const hasty = { connect_timeout: "60ms" };

function socksReply(reply: number, answers: Failure["answers"]): Failure {
  return {
    title: `replies ${reply}`,
    type: "socks",
    play: async (client) => serveSocks5(client, { reply: socks5Reply(reply) }),
    answers,
    reason: new RegExp(`it replies ${reply} `),
  };
}

function httpAnswer(status: number, answers: Failure["answers"], reason = `it answers ${status}`): Failure {
  return {
    title: `answers ${status}`,
    type: "http",
    play: async (client) => {
      await readHttpAnswer(client);
      client.write(`HTTP/1.1 ${status} No\r\nContent-Length: 2\r\n\r\nno`);
    },
    answers,
    reason: new RegExp(reason),
  };
}

const failures: readonly Failure[] = [
  socksReply(1, failed),
  socksReply(2, blocked),
  socksReply(3, { socks5: 3, http: 502 }),
  socksReply(4, { socks5: 4, http: 502 }),
  socksReply(5, { socks5: 5, http: 502 }),
  socksReply(6, timeout),
  socksReply(7, failed),
  socksReply(8, failed),
  socksReply(99, failed),
  {
    title: "wants a login and gets none",
    type: "socks",
    play: (client) => void client.write(Buffer.of(5, 0xff)),
    answers: failed,
    reason: /it refuses our login: it wants one, and there is none/,
  },
  {
    title: "refuses our login",
    type: "socks",
    keys: login,
    play: async (client) => hearSocks5(client, { method: 2, loginStatus: 1 }),
    answers: failed,
    reason: /it refuses our login: wrong username or password/,
  },
  {
    title: "speaks HTTP where SOCKS is meant",
    type: "socks",
    play: (client) => void client.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
    answers: failed,
    reason: /it answers in SOCKS version 72, expected 5/,
  },
  {
    title: "ends in the handshake",
    type: "socks",
    play: async (client) => {
      await hearSocks5(client);
      client.end(Buffer.of(5));
    },
    answers: failed,
    reason: /connection closed after 1 bytes of an unfinished message/,
  },
  {
    title: "resets in the handshake",
    type: "socks",
    play: async (client) => {
      await hearSocks5(client);
      client.resetAndDestroy();
    },
    answers: failed,
    reason: /connection (failed|closed)/,
  },
  {
    title: "says nothing",
    type: "socks",
    keys: hasty,
    play: ignore,
    answers: timeout,
    reason: /within 60 ms/,
  },
  httpAnswer(302, failed),
  httpAnswer(403, blocked),
  httpAnswer(407, failed, "it refuses our login \\(407\\): it wants one, and there is none"),
  httpAnswer(500, failed),
  httpAnswer(502, failed),
  httpAnswer(503, failed),
  httpAnswer(504, timeout),
  {
    ...httpAnswer(407, failed, "it refuses our login \\(407\\): wrong username or password"),
    title: "refuses our login",
    keys: login,
  },
  {
    title: "speaks SOCKS where HTTP is meant",
    type: "http",
    play: (client) => void client.end(Buffer.of(5, 0xff)),
    answers: failed,
    reason: /it does not answer in HTTP/,
  },
  {
    title: "ends in its answer",
    type: "http",
    play: async (client) => {
      await readHttpAnswer(client);
      client.end("HTTP/1.1 200 OK\r\n");
    },
    answers: failed,
    reason: /connection closed before its answer/,
  },
  {
    title: "resets in its answer",
    type: "http",
    play: async (client) => {
      await readHttpAnswer(client);
      client.resetAndDestroy();
    },
    answers: failed,
    reason: /connection closed before its answer/,
  },
  {
    title: "says nothing",
    type: "http",
    keys: hasty,
    play: ignore,
    answers: timeout,
    reason: /within 60 ms/,
  },
  {
    title: "says nothing in TLS",
    type: "http",
    keys: { ...hasty, tls: { enabled: true } },
    play: ignore,
    answers: timeout,
    reason: /within 60 ms/,
  },
  {
    title: "speaks no TLS where it should",
    type: "http",
    keys: { tls: { enabled: true } },
    play: (client) => void client.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
    answers: failed,
    reason: /TLS handshake failed/,
  },
];

/** Resolves when the connection has ended in order on both sides. */
async function endInOrder(client: Socket): Promise<void> {
  const ending = endingOf(client.resume());
  client.end();
  assert.notEqual(await ending, "reset");
  await closed(client);
}

describe("an upstream proxy", () => {
  failOnUnhandled();

  for (const { title, type, keys, play, answers, reason } of failures) {
    for (const protocol of proxyProtocols) {
      it(
        `of type ${type} that ${title} is ${answers[protocol]} in ${protocol}, and counters at 0`,
        io,
        async (t) => {
          const logger = new RecordingLogger();
          const upstream = await startDestination(t);
          const { host: server, port } = upstream.endpoint;
          const outbound = { type, server, server_port: port, ...keys };
          const app = await startTestApp(t, { users: usersOf(protocol), outbound, logger });
          const user = userOf(protocol);
          const asked = askProxy(t, { protocol, proxy: app.proxy, destination, user });
          const peer = await upstream.accept();
          await Promise.resolve(play(peer)).catch(ignore);
          const { client, answer } = await asked;
          assert.equal(answer, answers[protocol]);
          await closed(peer.resume());
          await endInOrder(client);
          await assertMoved(app, user, () => nothing);
          const [message = "", ...others] = logger
            .messages("debug")
            .filter((line) => line.startsWith("connect to"));
          const kind = type === "socks" ? "SOCKS server" : "HTTP proxy";
          assert.ok(
            message.startsWith(`connect to example.com:443 through ${kind} ${server}:${port}: `),
            message,
          );
          assert.match(message, reason);
          assert.deepEqual([...others, ...logger.messages("warn"), ...logger.messages("error")], []);
          assert.ok(!JSON.stringify(logger.lines).includes(password));
        },
      );
    }
  }

  for (const type of ["socks", "http"]) {
    for (const protocol of proxyProtocols) {
      const expected = { socks5: 5, http: 502 }[protocol];
      it(`of type ${type} that is not there is ${expected} in ${protocol}`, io, async (t) => {
        closeAfter(t);
        const outbound = { type, server: "127.0.0.1", server_port: await closedPort() };
        const app = await startTestApp(t, { outbound });
        const { client, answer } = await askProxy(t, { protocol, proxy: app.proxy, destination });
        assert.equal(answer, expected);
        await endInOrder(client);
        await assertMoved(app, undefined, () => nothing);
      });
    }
  }

  it("with a certificate that nobody trusts is 502, and hears nothing", io, async (t) => {
    const upstream = await startDestination(t);
    const { host: server, port } = (await startTlsFront(t, upstream.endpoint)).endpoint;
    const logger = new RecordingLogger();
    const outbound = { type: "http", server, server_port: port, tls: { enabled: true } };
    const app = await startTestApp(t, { outbound, logger });
    const { client, answer } = await askProxy(t, { protocol: "http", proxy: app.proxy, destination });
    assert.equal(answer, 502);
    await endInOrder(client);
    assert.equal(upstream.acceptedCount, 0);
    assert.match(logger.messages("debug").join(), /its certificate is not trusted: self-signed certificate/);
  });
});

function ignore(): void {
  // A conversation that the other side breaks off is what is tested.
}

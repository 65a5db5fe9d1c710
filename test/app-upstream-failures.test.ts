import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import type { Endpoint } from "../src/net/endpoint.js";
import { readAll } from "./helpers/bytes.js";
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

/** What a client of our own is told: its protocol's code, and in HTTP a line for a person. */
type Told = Readonly<Record<ProxyProtocol, number>> & { readonly line: string };

/** A way in which an upstream proxy gives no connection. */
interface Failure {
  readonly title: string;
  readonly type: "socks" | "http";
  /** What it does with a connection; where it never says anything, nothing. */
  readonly play: (client: Socket) => unknown;
  /** Keys of the outbound's config. */
  readonly keys?: object;
  readonly told: Told;
  /** What the log says. */
  readonly reason: RegExp;
}

const failed: Told = { socks5: 1, http: 502, line: "no connection came about" };
const blocked: Told = { socks5: 2, http: 403, line: "not allowed by a proxy on the way" };
const timeout: Told = { socks5: 4, http: 504, line: "no answer in time" };
const login = { username: "us", password };
const hasty = { connect_timeout: "60ms" };

function socksReply(reply: number, told: Told): Failure {
  return {
    title: `replies ${reply}`,
    type: "socks",
    play: async (client) => serveSocks5(client, { reply: socks5Reply(reply) }),
    told,
    reason: new RegExp(`it replies ${reply} `),
  };
}

function httpAnswer(status: number, told: Told, reason = `it answers ${status}`): Failure {
  return {
    title: `answers ${status}`,
    type: "http",
    play: async (client) => {
      await readHttpAnswer(client);
      client.write(`HTTP/1.1 ${status} No\r\nContent-Length: 2\r\n\r\nno`);
    },
    told,
    reason: new RegExp(reason),
  };
}

const failures: readonly Failure[] = [
  socksReply(1, failed),
  socksReply(2, blocked),
  socksReply(3, { socks5: 3, http: 502, line: "network unreachable" }),
  socksReply(4, { socks5: 4, http: 502, line: "host unreachable" }),
  socksReply(5, { socks5: 5, http: 502, line: "connection refused" }),
  socksReply(6, timeout),
  socksReply(7, failed),
  socksReply(8, failed),
  socksReply(99, failed),
  {
    title: "wants a login and gets none",
    type: "socks",
    play: (client) => void client.write(Buffer.of(5, 0xff)),
    told: failed,
    reason: /it refuses our login: it wants one, and there is none/,
  },
  {
    title: "refuses our login",
    type: "socks",
    keys: login,
    play: async (client) => hearSocks5(client, { method: 2, loginStatus: 1 }),
    told: failed,
    reason: /it refuses our login: wrong username or password/,
  },
  {
    title: "speaks HTTP where SOCKS is meant",
    type: "socks",
    play: (client) => void client.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
    told: failed,
    reason: /it answers in SOCKS version 72, expected 5/,
  },
  {
    title: "ends in the handshake",
    type: "socks",
    play: async (client) => {
      await hearSocks5(client);
      client.end(Buffer.of(5));
    },
    told: failed,
    reason: /connection closed after 1 bytes of an unfinished message/,
  },
  {
    title: "resets in the handshake",
    type: "socks",
    play: async (client) => {
      await hearSocks5(client);
      client.resetAndDestroy();
    },
    told: failed,
    reason: /connection (failed|closed)/,
  },
  {
    title: "says nothing",
    type: "socks",
    keys: hasty,
    play: ignore,
    told: timeout,
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
    told: failed,
    reason: /it does not answer in HTTP/,
  },
  {
    title: "ends in its answer",
    type: "http",
    play: async (client) => {
      await readHttpAnswer(client);
      client.end("HTTP/1.1 200 OK\r\n");
    },
    told: failed,
    reason: /connection closed before its answer/,
  },
  {
    title: "resets in its answer",
    type: "http",
    play: async (client) => {
      await readHttpAnswer(client);
      client.resetAndDestroy();
    },
    told: failed,
    reason: /connection closed before its answer/,
  },
  {
    title: "says nothing",
    type: "http",
    keys: hasty,
    play: ignore,
    told: timeout,
    reason: /within 60 ms/,
  },
  {
    title: "says nothing in TLS",
    type: "http",
    keys: { ...hasty, tls: { enabled: true } },
    play: ignore,
    told: timeout,
    reason: /within 60 ms/,
  },
  {
    title: "speaks no TLS where it should",
    type: "http",
    keys: { tls: { enabled: true } },
    play: (client) => void client.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
    told: failed,
    reason: /TLS handshake failed/,
  },
];

/** Resolves when the connection has ended in order on both sides, and nothing but the line was said behind the answer. */
async function endInOrder(client: Socket, protocol: ProxyProtocol, line: string): Promise<void> {
  const ending = endingOf(client);
  const rest = readAll(client);
  client.end();
  assert.equal((await rest).toString(), protocol === "http" ? `connect to example.com:443: ${line}\n` : "");
  assert.notEqual(await ending, "reset");
  await closed(client);
}

describe("an upstream proxy", () => {
  failOnUnhandled();

  for (const { title, type, keys, play, told, reason } of failures) {
    for (const protocol of proxyProtocols) {
      it(
        `of type ${type} that ${title} is ${told[protocol]} in ${protocol}, and counters at 0`,
        io,
        async (t) => {
          const logger = new RecordingLogger();
          const upstream = await startDestination(t);
          const { host: server, port } = upstream.endpoint;
          const outbound = { type, server, server_port: port, ...keys };
          const app = await startTestApp(t, { users: usersOf(protocol), outbound, logger });
          const user = userOf(protocol);
          const asked = askProxy(t, { protocol, proxy: app.proxy, destination, user });
          // On a machine that is busy, a short time may be over before the upstream is connected.
          const peer = await Promise.race([upstream.accept(), asked.then(() => undefined)]);
          if (peer !== undefined) await Promise.resolve(play(peer)).catch(ignore);
          const { client, answer } = await asked;
          assert.equal(answer, told[protocol]);
          if (peer !== undefined) await closed(peer.resume());
          await endInOrder(client, protocol, told.line);
          await assertMoved(app, user, () => nothing);
          const [message = "", ...others] = logger.failures();
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

  const absent: readonly (readonly [title: string, server: string, reason: RegExp])[] = [
    [
      "that is not there",
      "127.0.0.1",
      /: connect to 127\.0\.0\.1:\d+: connect ECONNREFUSED 127\.0\.0\.1:\d+$/,
    ],
    ["whose name has no address", "proxy..invalid", /: connect to proxy\.\.invalid:\d+: .*proxy\.\.invalid$/],
  ];
  for (const [title, server, reason] of absent) {
    for (const type of ["socks", "http"]) {
      for (const protocol of proxyProtocols) {
        it(`of type ${type} ${title} is ${failed[protocol]} in ${protocol}`, io, async (t) => {
          closeAfter(t);
          const logger = new RecordingLogger();
          const outbound = { type, server, server_port: await closedPort() };
          const app = await startTestApp(t, { outbound, logger });
          const { client, answer } = await askProxy(t, { protocol, proxy: app.proxy, destination });
          assert.equal(answer, failed[protocol]);
          await endInOrder(client, protocol, failed.line);
          await assertMoved(app, undefined, () => nothing);
          assert.match(logger.failures().join("\n"), reason);
        });
      }
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
    await endInOrder(client, "http", failed.line);
    assert.equal(upstream.acceptedCount, 0);
    assert.match(logger.failures().join(), /its certificate is not trusted: self-signed certificate/);
  });
});

function ignore(): void {
  // A conversation that the other side breaks off is what is tested.
}

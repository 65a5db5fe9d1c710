import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import { callJson, serviceNames } from "../helpers/api-client.js";
import { connectTo, useCli } from "../helpers/cli.js";
import { useOrigin } from "../helpers/origin.js";
import { createRandom } from "../helpers/random.js";
import { askSocks5, socks5Greeting, socks5Login, socks5Request } from "../helpers/socks5-client.js";
import { closed, until, withTimeout } from "../helpers/timing.js";

const seed = 20_240_607;
const random = createRandom(seed);
const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

const preface = latin1("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** An HTTP/2 frame. */
function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer,
  length = payload.length,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
const settings = frame(4, 0, 0, Buffer.alloc(0));
const clientHello = Buffer.concat([Buffer.from("16030100fb010000f70303", "hex"), random.bytes(240)]);
const anywhere = { host: "127.0.0.1", port: 9 };
const login = Buffer.from("alice:alice").toString("base64");
const query = `/${serviceNames[0]}/QueryStats`;

const garbage: readonly (readonly [name: string, bytes: Buffer])[] = [
  ["nothing", Buffer.alloc(0)],
  ["one zero byte", Buffer.of(0)],
  ["a line end", latin1("\r\n")],
  ["64 KiB of zeros", Buffer.alloc(65_536)],
  ...Array.from({ length: 12 }, (_, index): [string, Buffer] => [
    `random bytes ${index} of seed ${seed}`,
    random.bytes(1 + random.below(5_000)),
  ]),
  ["a TLS ClientHello", clientHello],
  ["half a TLS ClientHello", clientHello.subarray(0, 7)],
  ["an HTTP request line without end", latin1(`GET /${"a".repeat(200_000)}`)],
  ["a huge header", latin1(`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${"a".repeat(200_000)}\r\n\r\n`)],
  ["many headers", latin1(`GET / HTTP/1.1\r\n${"X-Y: z\r\n".repeat(5_000)}\r\n`)],
  ["half a request", latin1("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le")],
  ["half a body", latin1("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nabc")],
  [
    "half a call",
    latin1(
      `POST ${query} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
    ),
  ],
  ["two lengths", latin1("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")],
  ["a malformed Host", latin1("GET / HTTP/1.1\r\nHost: [\r\n\r\n")],
  ["HTTP/1.0 without a Host", latin1("GET / HTTP/1.0\r\n\r\n")],
  ["an unknown method", latin1("BREW / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")],
  [
    "an upgrade",
    latin1("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
  ],
  ["an unknown expectation", latin1("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: money\r\n\r\n")],
  ["CONNECT to nowhere", latin1("CONNECT nowhere HTTP/1.1\r\nHost: nowhere\r\n\r\n")],
  [
    "a wrong login for CONNECT",
    latin1("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nProxy-Authorization: Basic !!!!\r\n\r\n"),
  ],
  ["half an HTTP/2 preface", preface.subarray(0, 12)],
  ["an HTTP/2 preface", preface],
  ["an HTTP/2 preface with settings", Buffer.concat([preface, settings])],
  ["an HTTP/2 preface and random bytes", Buffer.concat([preface, random.bytes(500)])],
  ["half an HTTP/2 frame", Buffer.concat([preface, settings, frame(1, 4, 1, random.bytes(3), 300)])],
  ["half a SOCKS5 greeting", Buffer.of(5, 3, 0)],
  ["a SOCKS5 greeting without methods", socks5Greeting()],
  ["a SOCKS5 greeting without the method needed", socks5Greeting(0)],
  ["a SOCKS5 greeting and nothing more", socks5Greeting(2)],
  ["half a SOCKS5 login", Buffer.concat([socks5Greeting(2), Buffer.of(1, 5, 0x61)])],
  ["a wrong SOCKS5 login", Buffer.concat([socks5Greeting(2), socks5Login("alice", "wrong")])],
  ["a SOCKS5 login of another version", Buffer.concat([socks5Greeting(2), socks5Login("alice", "alice", 9)])],
  [
    "half a SOCKS5 request",
    Buffer.concat([socks5Greeting(2), socks5Login("alice", "alice"), Buffer.of(5, 1)]),
  ],
  [
    "a SOCKS5 request to bind",
    Buffer.concat([socks5Greeting(2), socks5Login("alice", "alice"), socks5Request(anywhere, 2)]),
  ],
  ["a SOCKS4 request", Buffer.from("0401005 07f00000100".replace(" ", ""), "hex")],
  ["half a SOCKS4 request", Buffer.from("040100507f", "hex")],
  [
    "a SOCKS4 user id without end",
    Buffer.concat([Buffer.from("040100507f000001", "hex"), random.bytes(5_000)]),
  ],
  ["a SOCKS4a request without a name", Buffer.from("0401005000000001610000", "hex")],
  ["a SOCKS4a name without end", latin1(`\x04\x01\0\x50\0\0\0\x01\0${"a".repeat(5_000)}`)],
  [
    "a request for a URL without a login",
    latin1("GET http://127.0.0.1:9/ HTTP/1.1\r\nHost: 127.0.0.1:9\r\n\r\n"),
  ],
  ...[
    ["another scheme", "https://127.0.0.1:9/"],
    ["user info", "http://alice:alice@127.0.0.1:9/"],
    ["port 0", "http://127.0.0.1:0/"],
    ["a port too high", "http://127.0.0.1:65536/"],
    ["no host", "http:///"],
  ].map(([what = "", target = ""]): [string, Buffer] => [
    `a request for a URL with ${what}`,
    latin1(`GET ${target} HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic ${login}\r\n\r\n`),
  ]),
  [
    "half a body for a URL that nobody serves",
    latin1(
      `PUT http://127.0.0.1:9/ HTTP/1.1\r\nHost: 127.0.0.1:9\r\nProxy-Authorization: Basic ${login}\r\n` +
        "Content-Length: 100\r\n\r\nabc",
    ),
  ],
  [
    "a chunked body that is none",
    latin1(
      `PUT http://127.0.0.1:9/ HTTP/1.1\r\nHost: 127.0.0.1:9\r\nProxy-Authorization: Basic ${login}\r\n` +
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ),
  ],
];

/** Node answers with GOAWAY and stops to read: it sees neither the client's FIN nor its reset. */
const unreadGarbage: readonly (readonly [name: string, bytes: Buffer])[] = [
  ["HTTP/2 headers that are no HPACK", Buffer.concat([preface, settings, frame(1, 5, 1, Buffer.of(0x80))])],
  ["HTTP/2 data without headers", Buffer.concat([preface, settings, frame(0, 1, 1, random.bytes(60))])],
];

/** How many sockets a process has open. */
function socketCountOf(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((name) => isSocket(`${folder}/${name}`)).length;
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith("socket:");
  } catch {
    // Closed since it was listed.
    return false;
  }
}

const closeTimeoutMs = 3_000;

describe("a port that is sent bad input", () => {
  const cli = useCli();
  const origin = useOrigin();
  const countable = {
    skip: process.platform === "linux" ? false : "only Linux lists a process's sockets in /proc",
  };
  let baseline = 0;

  /** A call and a tunnel that are right, to see that they still work. */
  async function assertServing(t: TestContext): Promise<void> {
    const { status } = await callJson(cli().api, "GetSysStats");
    assert.equal(status, 200);
    const tunnel = connectTo(t, cli().proxy);
    const destination = { host: "127.0.0.1", port: origin().port };
    const { reply } = await askSocks5(tunnel, destination, { username: "alice", password: "alice" });
    assert.equal(reply, 0);
    tunnel.end("GET /bytes/3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    tunnel.resume();
    await once(tunnel, "end");
  }

  it("has its listeners open before it is used", countable, () => {
    baseline = socketCountOf(cli().pid);
    // Its stdout and stderr may be sockets, too.
    assert.ok(baseline >= 2 && baseline <= 4, `${baseline} sockets`);
  });

  for (const port of ["proxy", "api"] as const) {
    for (const [name, bytes] of garbage) {
      it(`closes the ${port}'s connection after ${name}, and goes on`, async (t) => {
        const socket = connectTo(t, cli()[port]);
        socket.resume();
        socket.end(bytes);
        await withTimeout(closed(socket), closeTimeoutMs, "the close");
        await assertServing(t);
      });
    }

    it(`outlives clients of the ${port} that reset their connections in the middle`, async (t) => {
      for (const [, bytes] of garbage) {
        const socket = connectTo(t, cli()[port]);
        await once(socket, "connect");
        await new Promise((resolve) => socket.write(bytes, resolve));
        socket.resetAndDestroy();
      }
      await assertServing(t);
    });
  }

  it("has closed every socket in the end", countable, async () => {
    assert.notEqual(baseline, 0);
    const isBack = (): boolean => socketCountOf(cli().pid) <= baseline;
    await withTimeout(until(isBack), closeTimeoutMs, `back to ${baseline} sockets`).catch(() => undefined);
    assert.equal(socketCountOf(cli().pid), baseline);
  });

  it("has written no stack trace", () => {
    assert.ok(cli().isRunning);
    assert.doesNotMatch(cli().stderr.text, /\n {4}at |Unhandled|ERROR/);
  });
});

describe("an API that is sent bad HTTP/2", () => {
  const cli = useCli();

  for (const [name, bytes] of unreadGarbage) {
    it(`says goodbye after ${name}, and goes on`, async (t) => {
      const socket = connectTo(t, cli().api);
      const answer: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => answer.push(chunk));
      socket.write(bytes);
      const goAway = latin1("\x07\0\0\0\0\0");
      const hasGoAway = (): boolean => Buffer.concat(answer).includes(goAway);
      await withTimeout(until(hasGoAway), closeTimeoutMs, "GOAWAY");
      const { status } = await callJson(cli().api, "GetSysStats");
      assert.equal(status, 200);
    });
  }
});

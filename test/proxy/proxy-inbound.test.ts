import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import { defaultClientTimes } from "../../src/proxy/client-times.js";
import type { ProxyRequest, RequestHandler } from "../../src/proxy/inbound.js";
import {
  ProxyInbound,
  type ProxyInboundOptions,
  type ProxyInboundType,
} from "../../src/proxy/proxy-inbound.js";
import type { User } from "../../src/proxy/users.js";
import { readAll, readBytes, sha256 } from "../helpers/bytes.js";
import { askHttp, basicLogin, connectHead, readHttpAnswer } from "../helpers/http-client.js";
import { connectTo } from "../helpers/proxy.js";
import { createRandom } from "../helpers/random.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { closeAfter, closedPort } from "../helpers/sockets.js";
import { askSocks4, socks4Request } from "../helpers/socks4-client.js";
import { askSocks5, socks5Greeting, socks5Login, socks5Request } from "../helpers/socks5-client.js";
import { closed, turns, until } from "../helpers/timing.js";

const io = { timeout: 10_000 };
const alice: User = { username: "alice", password: "secret" };
const destination = { host: "example.com", port: 443 };
const boundTo = { host: "192.0.2.1", port: 1080 };
const never = new AbortController().signal;
const types: readonly ProxyInboundType[] = ["socks", "http", "mixed"];

interface Entrance {
  readonly inbound: ProxyInbound;
  readonly address: Endpoint;
  readonly logger: RecordingLogger;
  readonly requests: readonly ProxyRequest[];
  /** Resolves with the first request. */
  readonly requested: Promise<ProxyRequest>;
}

async function open(t: TestContext, options: Partial<ProxyInboundOptions> = {}): Promise<Entrance> {
  const requests: ProxyRequest[] = [];
  const logger = new RecordingLogger();
  let resolve: (request: ProxyRequest) => void;
  const requested = new Promise<ProxyRequest>((settle) => (resolve = settle));
  const onRequest: RequestHandler = async (request) => {
    requests.push(request);
    resolve(request);
    await closed(request.client);
  };
  const listen = { host: "127.0.0.1", port: 0 };
  const inbound = new ProxyInbound({ tag: "in", type: "mixed", listen, onRequest, logger, ...options });
  closeAfter(t, inbound);
  return { inbound, address: await inbound.start(), logger, requests, requested };
}

function inboundAt(listen: Endpoint): ProxyInbound {
  return new ProxyInbound({ tag: "b", type: "mixed", listen, onRequest: async () => Promise.resolve() });
}

/** What a client hears in all that sends this. */
async function hear(t: TestContext, { address }: Entrance, sent: string | Buffer): Promise<string> {
  const client = await connectTo(t, address);
  client.write(sent);
  const heard = await readAll(client);
  client.end();
  await closed(client);
  return heard.toString("latin1");
}

function refusalsIn({ logger }: Entrance): unknown[] {
  return logger.lines
    .filter(({ message }) => message === "connection refused")
    .map(({ level, fields }) => [level, fields?.["inbound"], fields?.["reason"]]);
}

async function writeSlowly(client: Socket, bytes: Buffer): Promise<void> {
  client.setNoDelay(true);
  for (const byte of bytes) {
    client.write(Buffer.of(byte));
    await turns(2);
  }
}

describe("ProxyInbound", () => {
  for (const type of types) {
    it(`has its tag and its type's name: ${type}`, async (t) => {
      const { inbound } = await open(t, { type });
      assert.deepEqual([inbound.tag, inbound.type], ["in", type]);
    });
  }

  it("says where it listens", io, async (t) => {
    const { address } = await open(t);
    assert.equal(address.host, "127.0.0.1");
    assert.notEqual(address.port, 0);
    await connectTo(t, address);
  });

  it("cannot listen where somebody else does", io, async (t) => {
    const { address } = await open(t);
    const second = inboundAt(address);
    closeAfter(t, second);
    await assert.rejects(second.start(), {
      name: "ListenError",
      message: `listen 127.0.0.1:${address.port}: address in use`,
    });
  });
});

const protocols = ["socks4", "socks5", "http"] as const;
const asks = {
  socks4: async (client: Socket) => (await askSocks4(client, destination)).reply,
  socks5: async (client: Socket, user?: User) => (await askSocks5(client, destination, user)).reply,
  http: async (client: Socket, user?: User) => (await askHttp(client, destination, user)).status,
};
const heads = {
  socks4: socks4Request(destination, { userId: "alice" }),
  socks5: Buffer.concat([socks5Greeting(0), socks5Request(destination)]),
  http: Buffer.from(connectHead("example.com:443")),
};
const loginHeads = {
  socks5: Buffer.concat([socks5Greeting(2), socks5Login("alice", "secret"), socks5Request(destination)]),
  http: Buffer.from(connectHead("example.com:443", basicLogin(alice))),
};
const yes = { socks4: 0x5a, socks5: 0, http: 200 };

for (const [type, spoken] of [
  ["socks", ["socks4", "socks5"]],
  ["http", ["http"]],
  ["mixed", protocols],
] as const) {
  for (const protocol of spoken) {
    describe(`ProxyInbound of type ${type}, asked in ${protocol},`, () => {
      it("hands the request over", io, async (t) => {
        const { address, requested, requests } = await open(t, { type });
        const client = await connectTo(t, address);
        const answer = asks[protocol](client);
        const request = await requested;
        request.accept(boundTo);
        assert.equal(await answer, yes[protocol]);
        assert.deepEqual(
          { inbound: request.inbound, user: request.user, to: request.destination, from: request.source },
          {
            inbound: "in",
            user: undefined,
            to: destination,
            from: { host: "127.0.0.1", port: client.localPort },
          },
        );
        assert.equal(requests.length, 1);
      });

      it("takes a request that comes byte by byte, with payload behind it", io, async (t) => {
        const { address, requested } = await open(t, { type });
        const client = await connectTo(t, address);
        await writeSlowly(client, Buffer.concat([heads[protocol], Buffer.from("payload")]));
        client.end();
        const request = await requested;
        assert.deepEqual(request.destination, destination);
        assert.equal((await readAll(request.client)).toString(), "payload");
      });

      it("keeps what comes in the same segment as the request", io, async (t) => {
        const payload = createRandom(5).bytes(200_000);
        const { address, requested } = await open(t, { type });
        const client = await connectTo(t, address);
        client.end(Buffer.concat([heads[protocol], payload]));
        const request = await requested;
        assert.equal(sha256(await readAll(request.client)), sha256(payload));
      });
    });
  }
}

for (const type of ["http", "mixed"] as const) {
  describe(`ProxyInbound of type ${type}, asked for a page,`, () => {
    it("hands a request for a connection to its origin over, and passes the answer back", io, async (t) => {
      const { address, requested, requests } = await open(t, { type, users: [alice] });
      const client = await connectTo(t, address);
      const lines = ["GET http://example.com/path HTTP/1.0", basicLogin(alice), "", ""];
      client.write(lines.join("\r\n"));
      const request = await requested;
      request.accept(boundTo);
      const { inbound, user, source, destination: origin, client: far } = request;
      assert.deepEqual(
        { inbound, user, source, origin },
        {
          inbound: "in",
          user: "alice",
          source: { host: "127.0.0.1", port: client.localPort },
          origin: { host: "example.com", port: 80 },
        },
      );
      assert.match((await readBytes(far, 14)).toString(), /^GET \/path HTTP/);
      far.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
      assert.match((await readAll(client)).toString(), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhello$/);
      client.end();
      assert.equal(requests.length, 1);
    });
  });
}

for (const protocol of ["socks5", "http"] as const) {
  describe(`ProxyInbound with users, asked in ${protocol},`, () => {
    it("lets them in", io, async (t) => {
      const { address, requested } = await open(t, { users: [alice] });
      const client = await connectTo(t, address);
      const answer = asks[protocol](client, alice);
      const request = await requested;
      request.accept(boundTo);
      assert.equal(await answer, yes[protocol]);
      assert.equal(request.user, "alice");
    });

    it("takes a login that comes byte by byte, with payload behind the request", io, async (t) => {
      const { address, requested } = await open(t, { users: [alice] });
      const client = await connectTo(t, address);
      await writeSlowly(client, Buffer.concat([loginHeads[protocol], Buffer.from("payload")]));
      client.end();
      const request = await requested;
      assert.equal(request.user, "alice");
      assert.equal((await readAll(request.client)).toString(), "payload");
    });

    it("keeps what comes in the same segment as login and request", io, async (t) => {
      const payload = createRandom(5).bytes(200_000);
      const { address, requested } = await open(t, { users: [alice] });
      const client = await connectTo(t, address);
      client.end(Buffer.concat([loginHeads[protocol], payload]));
      const request = await requested;
      assert.equal(sha256(await readAll(request.client)), sha256(payload));
    });
  });
}

for (const protocol of protocols) {
  describe(`ProxyInbound with clients of ${protocol}`, () => {
    it("serves many at once", io, async (t) => {
      const entrance = await open(t);
      const clients = await Promise.all(
        Array.from({ length: 20 }, async () => connectTo(t, entrance.address)),
      );
      for (const client of clients) client.write(heads[protocol]);
      await until(() => entrance.requests.length === clients.length);
      const ports = entrance.requests.map(({ source }) => source.port);
      assert.deepEqual(ports.sort(), clients.map(({ localPort }) => localPort).sort());
    });

    it("cuts one that stops in the middle of its request", io, async (t) => {
      const entrance = await open(t, { times: { ...defaultClientTimes, handshakeMs: 50 } });
      const client = await connectTo(t, entrance.address);
      client.resume();
      client.write(heads[protocol].subarray(0, -1));
      await closed(client.end());
      assert.deepEqual(entrance.requests, []);
      assert.equal(refusalsIn(entrance).length, 1);
    });

    it("survives one that resets in the middle of its request", io, async (t) => {
      const entrance = await open(t);
      const client = await connectTo(t, entrance.address);
      client.write(heads[protocol].subarray(0, -1));
      await turns(5);
      client.resetAndDestroy();
      await until(() => entrance.logger.messages("debug").length > 0);
      assert.deepEqual(entrance.requests, []);
      assert.deepEqual(entrance.logger.messages("error"), []);
    });
  });
}

describe("ProxyInbound's refusal", () => {
  const tlsHello = "\u0016\u0003\u0001\u0002\u0000";

  const unspoken: readonly (readonly [title: string, sent: Buffer | string, firstByte: number])[] = [
    ["CONNECT", heads.http, 67],
    ["a plain HTTP request", "GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n", 71],
    ["a TLS client hello", tlsHello, 22],
    ["garbage", "\u0000", 0],
    ["SOCKS6", "\u0006", 6],
  ];
  for (const [title, sent, firstByte] of unspoken) {
    it(`of ${title} by the type socks is the end, without an answer`, io, async (t) => {
      const entrance = await open(t, { type: "socks" });
      assert.equal(await hear(t, entrance, sent), "");
      const reason = `SOCKS version ${firstByte}, expected 4 or 5`;
      assert.deepEqual(refusalsIn(entrance), [["debug", "in", reason]]);
      assert.deepEqual(entrance.requests, []);
    });
  }

  for (const protocol of ["socks4", "socks5"] as const) {
    it(`of ${protocol} by the type http is an answer in HTTP, and the end`, io, async (t) => {
      const entrance = await open(t, { type: "http" });
      assert.match(await hear(t, entrance, heads[protocol]), /^HTTP\/1\.1 400 /);
      const reason = "Parse Error: Invalid method encountered";
      assert.deepEqual(refusalsIn(entrance), [["debug", "in", reason]]);
      assert.deepEqual(entrance.requests, []);
    });
  }

  const noPassword = "SOCKS4 carries no password, which is required here";
  const socks4s: readonly (readonly [title: string, hex: string, users: readonly User[], reason: string])[] =
    [
      ["SOCKS4, where there are users,", "040101bb7f00000100", [alice], noPassword],
      ["SOCKS4a, where there are users,", heads.socks4.toString("hex"), [alice], noPassword],
      ["SOCKS4's first byte, where there are users,", "04", [alice], noPassword],
      ["SOCKS4's BIND", "040201bb7f00000100", [], "SOCKS4 command 2 is not supported"],
    ];
  for (const type of ["socks", "mixed"] as const) {
    for (const [title, hex, users, reason] of socks4s) {
      it(`of ${title} by the type ${type} is SOCKS4's 00 5B, and the end`, io, async (t) => {
        const entrance = await open(t, { type, users });
        const heard = await hear(t, entrance, Buffer.from(hex, "hex"));
        assert.equal(Buffer.from(heard, "latin1").toString("hex"), "005b000000000000");
        assert.deepEqual(refusalsIn(entrance), [["debug", "in", reason]]);
        assert.deepEqual(entrance.requests, []);
      });
    }
  }

  const pushy: readonly (readonly [title: string, sent: Buffer | string, heard: RegExp])[] = [
    ["SOCKS4", Buffer.of(4, 2), /^005b000000000000$/],
    ["SOCKS5", socks5Greeting(9), /^05ff$/],
    ["HTTP", "FETCH / HTTP/1.1\r\n\r\n", /^485454502f312e3120343030.*0a$/],
  ];
  for (const [title, sent, heard] of pushy) {
    it(`of ${title} is not lost although the client goes on sending`, io, async (t) => {
      const { address } = await open(t);
      const client = await connectTo(t, address);
      client.write(sent);
      client.end(Buffer.alloc(8 * 1024 * 1024));
      assert.match((await readAll(client)).toString("hex"), heard);
      await closed(client);
      // It was all taken: nothing was left unread, which would have been a reset.
      assert.equal(client.errored, null);
    });
  }

  const rejections: readonly (readonly [
    title: string,
    sent: Buffer | string,
    start: string,
    reason: string,
  ])[] = [
    ["a greeting without the method", socks5Greeting(0), "\u0005\u00ff", "SOCKS method 2 is not offered"],
    [
      "a wrong login",
      Buffer.concat([socks5Greeting(2), socks5Login("alice", "no")]),
      "\u0005\u0002\u0001\u0001",
      "wrong username or password",
    ],
    ["HTTP without a login", connectHead("a:1"), "HTTP/1.1 407 ", "a username and its password are required"],
    [
      "a plain HTTP request without a login",
      "GET http://a/ HTTP/1.0\r\n\r\n",
      "HTTP/1.1 407 ",
      "a username and its password are required",
    ],
    [
      "a plain HTTP request without an absolute target",
      ["GET / HTTP/1.0", basicLogin(alice), "", ""].join("\r\n"),
      "HTTP/1.1 400 ",
      'request target "/" is no absolute URL, which a proxy needs: http://HOST[:PORT]/…',
    ],
    ["garbage", "\u0000\u0001\u0002", "HTTP/1.1 400 ", "Parse Error: Invalid method encountered"],
    ["a TLS client hello", tlsHello, "HTTP/1.1 400 ", "Parse Error: Invalid method encountered"],
  ];
  for (const [title, sent, start, reason] of rejections) {
    it(`of ${title} is logged with its reason, once`, io, async (t) => {
      const entrance = await open(t, { users: [alice] });
      const heard = await hear(t, entrance, sent);
      assert.ok(heard.startsWith(start), heard);
      assert.deepEqual(refusalsIn(entrance), [["debug", "in", reason]]);
      assert.deepEqual(entrance.requests, []);
    });
  }

  it("never names a password in the log", io, async (t) => {
    const entrance = await open(t, { users: [alice] });
    const wrong = { username: "alice", password: "s3cret-typo" };
    await hear(t, entrance, Buffer.concat([socks5Greeting(2), socks5Login("alice", wrong.password)]));
    await hear(t, entrance, connectHead("a:1", basicLogin(wrong)));
    assert.equal(refusalsIn(entrance).length, 2);
    const log = JSON.stringify(entrance.logger.lines);
    assert.ok(!log.includes(wrong.password) && !log.includes(basicLogin(wrong).slice(-12)), log);
  });

  for (const type of types) {
    it(`of a silent client by the type ${type} is the end, after the time it has`, io, async (t) => {
      const entrance = await open(t, { type, times: { ...defaultClientTimes, handshakeMs: 20 } });
      const client = await connectTo(t, entrance.address);
      client.on("end", () => client.end());
      client.resume();
      await closed(client);
      assert.deepEqual(refusalsIn(entrance), [["debug", "in", "no complete message within 20 ms"]]);
    });

    it(`of a client that leaves the type ${type} without a word is nothing but a line`, io, async (t) => {
      const entrance = await open(t, { type });
      const client = await connectTo(t, entrance.address);
      client.resume();
      client.end();
      await closed(client);
      const reason = "connection closed after 0 bytes of an unfinished message";
      assert.deepEqual(refusalsIn(entrance), [["debug", "in", reason]]);
    });
  }
});

describe("ProxyInbound's stop", () => {
  for (const protocol of protocols) {
    it(`waits for a connection of ${protocol} that was handed over`, io, async (t) => {
      const { inbound, address, requested } = await open(t);
      const client = await connectTo(t, address);
      client.write(heads[protocol]);
      const request = await requested;
      request.accept(boundTo);
      let isStopped = false;
      const stopped = inbound.stop(never).then(() => (isStopped = true));
      client.write("still here");
      assert.equal((await readBytes(request.client, 10)).toString(), "still here");
      await turns(5);
      assert.equal(isStopped, false);
      client.end();
      client.resume();
      request.client.resume();
      request.client.end();
      await stopped;
    });

    it(`destroys a connection of ${protocol} when it is cut`, io, async (t) => {
      const { inbound, address, requested } = await open(t);
      const client = await connectTo(t, address);
      client.write(heads[protocol]);
      const request = await requested;
      const cut = new AbortController();
      const stopped = inbound.stop(cut.signal);
      await turns(5);
      assert.equal(request.client.destroyed, false);
      cut.abort();
      await stopped;
      assert.equal(request.client.destroyed, true);
    });

    it(`does not wait for a client in the middle of its ${protocol} request`, io, async (t) => {
      const { inbound, address, logger, requests } = await open(t);
      const client = await connectTo(t, address);
      client.resume();
      client.on("end", () => client.end());
      client.write(heads[protocol].subarray(0, -1));
      await turns(5);
      await inbound.stop(never);
      await closed(client);
      assert.deepEqual(requests, []);
      assert.deepEqual(logger.messages("error"), []);
    });
  }

  for (const type of types) {
    it(`of the type ${type} does not wait for a silent client`, io, async (t) => {
      const { inbound, address } = await open(t, { type });
      const client = await connectTo(t, address);
      client.resume();
      await inbound.stop(never);
      await closed(client.end());
    });
  }

  it("ends all undecided clients at once, and leaves the decided one alone", io, async (t) => {
    const { inbound, address, requested, requests, logger } = await open(t, { users: [alice] });
    const decided = await connectTo(t, address);
    decided.write(loginHeads.socks5);
    const request = await requested;
    const unfinished = [
      Buffer.alloc(0),
      Buffer.of(5),
      socks5Greeting(2),
      Buffer.concat([socks5Greeting(2), socks5Login("alice", "secret")]),
      loginHeads.socks5.subarray(0, -1),
      loginHeads.http.subarray(0, 1),
      loginHeads.http.subarray(0, -1),
    ];
    const clients = await Promise.all(unfinished.map(async () => connectTo(t, address)));
    clients.forEach((client, index) => {
      client.resume();
      client.write(unfinished[index] ?? "");
    });
    await turns(10);
    let isStopped = false;
    const stopped = inbound.stop(never).then(() => (isStopped = true));
    await Promise.all(clients.map(async (client) => closed(client.end())));
    decided.write("still here");
    assert.equal((await readBytes(request.client, 10)).toString(), "still here");
    assert.equal(isStopped, false);
    decided.end();
    decided.resume();
    request.client.resume();
    request.client.end();
    await stopped;
    assert.equal(requests.length, 1);
    assert.deepEqual(logger.messages("error"), []);
  });

  it("lets nobody else in", io, async (t) => {
    const { inbound, address } = await open(t);
    await inbound.stop(never);
    await assert.rejects(connectTo(t, address), { code: "ECONNREFUSED" });
  });

  it("may come twice, before the start, and after a failed one", io, async (t) => {
    const { inbound, address } = await open(t);
    const second = inboundAt(address);
    await second.stop(never);
    await assert.rejects(second.start());
    await second[Symbol.asyncDispose]();
    await inbound.stop(never);
    await inbound[Symbol.asyncDispose]();
    await inbound[Symbol.asyncDispose]();
  });

  it("frees the port", io, async (t) => {
    closeAfter(t);
    const listen = { host: "127.0.0.1", port: await closedPort() };
    const { inbound } = await open(t, { listen });
    await inbound.stop(never);
    const { address } = await open(t, { listen });
    assert.deepEqual(address, listen);
  });
});

describe("ProxyInbound's replaceUsers()", () => {
  const bob: User = { username: "bob", password: "b" };

  /** A SOCKS5 client that has logged in and has not said yet where it wants to go. */
  async function logIn(t: TestContext, { address }: Entrance, { username, password }: User): Promise<Socket> {
    const client = await connectTo(t, address);
    client.write(Buffer.concat([socks5Greeting(2), socks5Login(username, password)]));
    assert.equal((await readBytes(client, 4)).toString("hex"), "05020100");
    return client;
  }

  const locksOut: readonly (readonly [title: string, users: readonly User[]])[] = [
    ["is gone", [bob]],
    ["has another password", [bob, { ...alice, password: "new" }]],
    ["has no need to be known any more", []],
  ];
  for (const [title, users] of locksOut) {
    it(`turns away who has logged in and ${title} when it says where it wants to go`, io, async (t) => {
      const entrance = await open(t, { users: [alice, bob] });
      const client = await logIn(t, entrance, alice);
      entrance.inbound.replaceUsers(users);
      client.write(socks5Request(destination));
      assert.equal((await readAll(client)).length, 0);
      assert.deepEqual(entrance.requests, []);
      const { fields } = entrance.logger.lines.find(({ message }) => message === "connection refused") ?? {};
      assert.equal(fields?.["reason"], "its login does not hold any more");
    });
  }

  it("lets in who has logged in and is still known", io, async (t) => {
    const entrance = await open(t, { users: [alice, bob] });
    const client = await logIn(t, entrance, bob);
    entrance.inbound.replaceUsers([bob]);
    client.write(socks5Request(destination));
    const { user } = await entrance.requested;
    assert.equal(user, "bob");
  });

  it("turns away a SOCKS4 client that was about to be let in where somebody has to log in", io, async (t) => {
    const entrance = await open(t);
    const client = await connectTo(t, entrance.address);
    const request = socks4Request({ host: "192.0.2.1", port: 1 });
    client.write(request.subarray(0, 3));
    // It has been read when a later client's has been.
    const later = await connectTo(t, entrance.address);
    assert.equal((await askHttp(later, { host: "", port: 0 })).status, 400);
    entrance.inbound.replaceUsers([alice]);
    client.write(request.subarray(3));
    assert.equal((await readAll(client)).length, 0);
    assert.deepEqual(entrance.requests, []);
  });

  it("asks an HTTP client for its login again with its next request", io, async (t) => {
    const entrance = await open(t, { users: [alice] });
    const client = await connectTo(t, entrance.address);
    const badTarget = ["GET /origin-form HTTP/1.1", "Host: a.test", basicLogin(alice), "", ""].join("\r\n");
    client.write(badTarget);
    assert.equal((await readHttpAnswer(client)).status, 400);
    entrance.inbound.replaceUsers([{ ...alice, password: "new" }]);
    client.write(badTarget);
    assert.match((await readAll(client.end())).toString(), /HTTP\/1\.1 407 /);
  });
});

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { ReadError } from "../../../src/net/byte-reader.js";
import { DialError, type DialErrorCode } from "../../../src/net/dial-error.js";
import type { Endpoint } from "../../../src/net/endpoint.js";
import { requestSocks5 } from "../../../src/proxy/socks/socks5-client-handshake.js";
import type { Socks5Login } from "../../../src/proxy/socks/socks5.js";
import { readAll, readBytes, sha256 } from "../../helpers/bytes.js";
import { createRandom } from "../../helpers/random.js";
import { socks5Login, socks5Request } from "../../helpers/socks5-client.js";
import { hearSocks5, serveSocks5, socks5Reply } from "../../helpers/socks5-upstream.js";
import { socketPair } from "../../helpers/sockets.js";
import { turns } from "../../helpers/timing.js";

const io = { timeout: 10_000 };
const alice: Socks5Login = { username: "alice", password: "zqxjkvbw" };
const request = socks5Request({ host: "example.com", port: 443 });
const boundTo: Endpoint = { host: "192.0.2.1", port: 1080 };

/** The handshake under test at one end of a connection, and the server that a test plays at the other. */
interface Conversation {
  readonly client: Socket;
  readonly server: Socket;
  readonly asked: Promise<Endpoint>;
}

async function converse(t: TestContext, login?: Socks5Login): Promise<Conversation> {
  const { client, server } = await socketPair(t);
  const asked = requestSocks5(client, request, login);
  asked.catch(() => undefined);
  return { client, server, asked };
}

describe("requestSocks5", () => {
  it("offers no login where there is none, and says where the server is bound", io, async (t) => {
    const { server, asked } = await converse(t);
    const heard = await serveSocks5(server, { reply: socks5Reply(0, boundTo) });
    assert.deepEqual(heard, { greeting: "050100", request: request.toString("hex") });
    assert.deepEqual(await asked, boundTo);
  });

  it("offers nothing but its login where there is one, and logs in", io, async (t) => {
    const { server, asked } = await converse(t, alice);
    const heard = await serveSocks5(server, { method: 2, reply: socks5Reply(0, boundTo) });
    const login = socks5Login(alice.username, alice.password).toString("hex");
    assert.deepEqual(heard, { greeting: "050102", login, request: request.toString("hex") });
    assert.deepEqual(await asked, boundTo);
  });

  it("waits for each answer before it goes on", io, async (t) => {
    const { server } = await converse(t, alice);
    const heard: Buffer[] = [];
    server.on("data", (bytes: Buffer) => heard.push(bytes));
    const lengths: number[] = [];
    for (const answer of [Buffer.of(5, 2), Buffer.of(1, 0), Buffer.alloc(0)]) {
      await turns(10);
      lengths.push(Buffer.concat(heard).length);
      server.write(answer);
    }
    const loggedIn = 3 + socks5Login(alice.username, alice.password).length;
    assert.deepEqual(lengths, [3, loggedIn, loggedIn + request.length]);
  });

  it("takes a name and an IPv6 address for where the server is bound", io, async (t) => {
    for (const bound of [
      { host: "relay.example", port: 1 },
      { host: "2001:db8::7", port: 65_535 },
    ]) {
      const { server, asked } = await converse(t);
      await serveSocks5(server, { reply: socks5Reply(0, bound) });
      assert.deepEqual(await asked, bound);
    }
  });

  it("understands answers that come byte by byte", io, async (t) => {
    const { client, server, asked } = await converse(t, alice);
    server.setNoDelay(true);
    const answers = [Buffer.of(5, 2), Buffer.of(1, 0), socks5Reply(0, boundTo), Buffer.from("payload")];
    for (const byte of Buffer.concat(answers)) {
      server.write(Buffer.of(byte));
      await turns(2);
    }
    server.end();
    assert.deepEqual(await asked, boundTo);
    assert.equal((await readAll(client)).toString(), "payload");
  });

  for (const length of [1, 300_000]) {
    it(`leaves ${length} bytes right behind the reply to the next reader`, io, async (t) => {
      const { client, server, asked } = await converse(t);
      const payload = createRandom(3).bytes(length);
      await hearSocks5(server);
      server.end(Buffer.concat([socks5Reply(0, boundTo), payload]));
      await asked;
      assert.equal(sha256(await readAll(client)), sha256(payload));
    });
  }

  it(
    "leaves all answers in one segment, which came before they were due, where they belong",
    io,
    async (t) => {
      const { client, server, asked } = await converse(t);
      server.end(Buffer.concat([Buffer.of(5, 0), socks5Reply(0, boundTo), Buffer.from("eager")]));
      assert.deepEqual(await asked, boundTo);
      assert.equal((await readAll(client)).toString(), "eager");
    },
  );
});

describe("requestSocks5's refusal", () => {
  const refusals: readonly (readonly [
    title: string,
    login: Socks5Login | undefined,
    answers: readonly Buffer[],
    code: DialErrorCode,
    message: string,
  ])[] = [
    [
      "of every method, where we have no login",
      undefined,
      [Buffer.of(5, 0xff)],
      "failed",
      "it refuses our login: it wants one, and there is none",
    ],
    [
      "of every method, where we have a login",
      alice,
      [Buffer.of(5, 0xff)],
      "failed",
      "it refuses our login: it takes no username and password",
    ],
    ["of the method offered", alice, [Buffer.of(5, 0)], "failed", "it chose method 0, which was not offered"],
    [
      "of a client without a login",
      undefined,
      [Buffer.of(5, 2)],
      "failed",
      "it chose method 2, which was not offered",
    ],
    [
      "of our login",
      alice,
      [Buffer.of(5, 2), Buffer.of(1, 1)],
      "failed",
      "it refuses our login: wrong username or password",
    ],
    ...(
      [
        [1, "failed", "general failure"],
        [2, "blocked", "not allowed by its rules"],
        [3, "network-unreachable", "network unreachable"],
        [4, "host-unreachable", "host unreachable"],
        [5, "refused", "connection refused"],
        [6, "timeout", "TTL expired"],
        [7, "failed", "command not supported"],
        [8, "failed", "address type not supported"],
        [9, "failed", "unknown"],
        [255, "failed", "unknown"],
      ] as const
    ).map(
      ([reply, code, meaning]) =>
        [
          `of the request by ${reply}`,
          undefined,
          [Buffer.of(5, 0), socks5Reply(reply)],
          code,
          `it replies ${reply} (${meaning})`,
        ] as const,
    ),
    [
      "of the request in two bytes",
      undefined,
      [Buffer.of(5, 0), Buffer.of(5, 5)],
      "refused",
      "it replies 5 (connection refused)",
    ],
  ];
  for (const [title, login, answers, code, message] of refusals) {
    it(`${title} is ${code}`, io, async (t) => {
      const { client, server, asked } = await converse(t, login);
      server.write(Buffer.concat(answers));
      await assert.rejects(asked, new DialError(code, message));
      // Closing is the business of whoever called.
      assert.equal(client.destroyed, false);
    });
  }

  const malformed: readonly (readonly [title: string, answers: readonly Buffer[], message: string])[] = [
    ["HTTP", [Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")], "it answers in SOCKS version 72, expected 5"],
    ["SOCKS4", [Buffer.of(0, 0x5b, 0, 0, 0, 0, 0, 0)], "it answers in SOCKS version 0, expected 5"],
    ["another login", [Buffer.of(5, 2), Buffer.of(5, 0)], "it answers in SOCKS login version 5, expected 1"],
    [
      "another reply",
      [Buffer.of(5, 2), Buffer.of(1, 0), Buffer.of(1, 0)],
      "it replies in SOCKS version 1, expected 5",
    ],
    [
      "an unknown address",
      [Buffer.of(5, 2), Buffer.of(1, 0), Buffer.of(5, 0, 0, 9)],
      "it replies with an address of the unknown type 9",
    ],
  ];
  for (const [title, answers, message] of malformed) {
    it(`to understand ${title} is a ReadError`, io, async (t) => {
      const { server, asked } = await converse(t, alice);
      server.write(Buffer.concat(answers));
      await assert.rejects(asked, new ReadError("malformed", message));
    });
  }

  const states: readonly (readonly [state: string, answers: Buffer, unfinished: number])[] = [
    ["before it answers", Buffer.alloc(0), 0],
    ["in its first answer", Buffer.of(5), 1],
    ["before it answers the login", Buffer.of(5, 2), 0],
    ["in the answer to the login", Buffer.of(5, 2, 1), 1],
    ["before it replies", Buffer.of(5, 2, 1, 0), 0],
    ["in its reply", Buffer.of(5, 2, 1, 0, 5, 0, 0, 1, 127), 5],
  ];
  for (const [state, answers, unfinished] of states) {
    it(`of a server that ends ${state} is a ReadError`, io, async (t) => {
      const { server, asked } = await converse(t, alice);
      server.end(answers);
      const message = `connection closed after ${unfinished} bytes of an unfinished message`;
      await assert.rejects(asked, new ReadError("closed", message));
    });

    it(`of a server that resets ${state} is a ReadError`, io, async (t) => {
      const { client, server, asked } = await converse(t, alice);
      const received = readBytes(server, 3);
      server.write(answers);
      await received;
      await turns(5);
      server.resetAndDestroy();
      await assert.rejects(asked, { name: "ReadError", code: "closed" });
      assert.equal(client.destroyed, true);
    });
  }

  it("never shows the password", io, async (t) => {
    const answers = [Buffer.of(5, 0xff), Buffer.of(5, 0), Buffer.of(5, 2, 1, 1), Buffer.of(5, 2, 9)];
    for (const answer of answers) {
      const { server, asked } = await converse(t, alice);
      server.write(answer);
      const error: unknown = await asked.catch((reason: unknown) => reason);
      assert.ok(error instanceof Error);
      assert.ok(!`${error.message}${error.stack ?? ""}`.includes(alice.password));
    }
  });
});

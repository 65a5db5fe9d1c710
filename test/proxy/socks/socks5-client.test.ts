import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ParseResult, Parser } from "../../../src/net/byte-reader.js";
import {
  formatGreeting,
  formatLogin,
  formatRequest,
  parseLoginAnswer,
  parseMethodChoice,
  parseReply,
  type Socks5Outcome,
} from "../../../src/proxy/socks/socks5-client.js";
import {
  formatLoginAnswer,
  formatMethodChoice,
  formatReply,
  parseGreeting,
  parseLogin,
  parseRequest,
  socks5Methods,
  socks5Replies,
} from "../../../src/proxy/socks/socks5.js";
import { createRandom } from "../../helpers/random.js";
import { socks5Greeting, socks5Login, socks5Request } from "../../helpers/socks5-client.js";
import { socks5Reply } from "../../helpers/socks5-upstream.js";

const more = { kind: "more" };

/** Checks a message cut at every byte, whole, and with bytes of what comes next behind it. */
function assertReads<T>(parse: Parser<T>, message: Buffer, value: T): void {
  for (let length = 0; length < message.length; length++) {
    assert.deepEqual(parse(message.subarray(0, length)), more, `after ${length} bytes`);
  }
  const done = { kind: "done", value, length: message.length };
  assert.deepEqual(parse(message), done);
  for (const behind of ["\u0000", "\u0005\u0000\u0000", "HTTP/1.1 200 OK\r\n"]) {
    assert.deepEqual(parse(Buffer.concat([message, Buffer.from(behind)])), done);
  }
}

/** Checks that every longer part of a message is refused alike, and every shorter one is too short to tell. */
function assertRefuses(parse: Parser<unknown>, message: Buffer, from: number, reason: string): void {
  for (let length = 0; length <= message.length; length++) {
    const expected = length < from ? more : { kind: "bad", reason };
    assert.deepEqual(parse(message.subarray(0, length)), expected, `after ${length} bytes`);
  }
}

/** What the server's side of the same codec makes of a message, which must be all of it. */
function readBack<T>(parse: Parser<T>, message: Buffer): T {
  const result: ParseResult<T> = parse(message);
  assert.ok(result.kind === "done", JSON.stringify(result));
  assert.equal(result.length, message.length);
  return result.value;
}

const endpoints: readonly (readonly [host: string, port: number])[] = [
  ["127.0.0.1", 80],
  ["0.0.0.0", 0],
  ["255.255.255.255", 65_535],
  ["::1", 443],
  ["2001:db8::1", 0x1234],
  ["example.com", 80],
  ["a", 1],
  ["bücher.example", 443],
  ["n".repeat(255), 65_535],
];

describe("formatGreeting", () => {
  for (const method of [socks5Methods.anonymous, socks5Methods.password]) {
    it(`offers the method ${method}, and no other`, () => {
      assert.deepEqual(formatGreeting(method), socks5Greeting(method));
      assert.deepEqual(readBack(parseGreeting, formatGreeting(method)), [method]);
    });
  }
});

describe("formatLogin", () => {
  const logins: readonly (readonly [title: string, username: string, password: string])[] = [
    ["a name and a password", "alice", "secret"],
    ["an empty password", "alice", ""],
    ["255 bytes each", "a".repeat(255), "p".repeat(255)],
    ["UTF-8", "zoë", "пароль🔑"],
  ];
  for (const [title, username, password] of logins) {
    it(`writes ${title}`, () => {
      const message = formatLogin({ username, password });
      assert.deepEqual(message, socks5Login(username, password));
      assert.deepEqual(readBack(parseLogin, message), { username, password });
    });
  }

  const tooLong: readonly (readonly [title: string, username: string, password: string])[] = [
    ["a name of 256 bytes", "a".repeat(256), "secret"],
    ["a password of 256 bytes", "alice", "ß".repeat(128)],
  ];
  for (const [title, username, password] of tooLong) {
    it(`throws for ${title}, without showing it`, () => {
      const message = "name or password of 256 bytes, at most 255 fit";
      assert.throws(() => formatLogin({ username, password }), { name: "RangeError", message });
    });
  }
});

describe("formatRequest", () => {
  for (const [host, port] of endpoints) {
    it(`asks for ${host.slice(0, 30)} port ${port}`, () => {
      const connect = formatRequest("connect", { host, port });
      assert.deepEqual(connect, socks5Request({ host, port }));
      assert.deepEqual(readBack(parseRequest, connect), { kind: "connect", destination: { host, port } });
      const associate = formatRequest("associate", { host, port });
      assert.deepEqual(associate, socks5Request({ host, port }, 3));
      assert.deepEqual(readBack(parseRequest, associate), { kind: "associate", expected: { host, port } });
    });
  }

  for (const host of ["n".repeat(256), "ü".repeat(128)]) {
    it(`throws for the name ${host.slice(0, 4)}… of 256 bytes`, () => {
      const message = "host name of 256 bytes, at most 255 fit";
      assert.throws(() => formatRequest("connect", { host, port: 1 }), { name: "RangeError", message });
    });
  }
});

describe("parseMethodChoice", () => {
  for (const method of [0, 1, 2, 0x80, 0xff]) {
    it(`reads the method ${method}, whatever bytes are missing or follow`, () => {
      assertReads(parseMethodChoice, Buffer.of(5, method), method);
    });
  }

  it("reads what the server's side writes", () => {
    for (const method of Object.values(socks5Methods)) {
      assertReads(parseMethodChoice, formatMethodChoice(method), method);
    }
  });

  for (const version of [0, 1, 4, 6, 0x48, 255]) {
    it(`refuses version ${version} at its first byte`, () => {
      const reason = `it answers in SOCKS version ${version}, expected 5`;
      assertRefuses(parseMethodChoice, Buffer.of(version, 0, 5), 1, reason);
    });
  }
});

describe("parseLoginAnswer", () => {
  it("reads 00 as yes", () => {
    assertReads(parseLoginAnswer, Buffer.of(1, 0), true);
    assertReads(parseLoginAnswer, formatLoginAnswer(true), true);
  });

  for (const status of [1, 2, 0x80, 255]) {
    it(`reads ${status} as no`, () => {
      assertReads(parseLoginAnswer, Buffer.of(1, status), false);
    });
  }

  for (const version of [0, 2, 5]) {
    it(`refuses version ${version} at its first byte`, () => {
      const reason = `it answers in SOCKS login version ${version}, expected 1`;
      assertRefuses(parseLoginAnswer, Buffer.of(version, 0), 1, reason);
    });
  }
});

describe("parseReply", () => {
  const succeeded = (host: string, port: number): Socks5Outcome => ({
    kind: "succeeded",
    boundTo: { host, port },
  });

  for (const [host, port] of endpoints) {
    it(`reads that ${host.slice(0, 30)} port ${port} is bound, whatever bytes are missing or follow`, () => {
      assertReads(parseReply, socks5Reply(0, { host, port }), succeeded(host, port));
      assertReads(parseReply, formatReply(0, { host, port }), succeeded(host, port));
    });
  }

  it("does not look at the reserved byte", () => {
    const message = socks5Reply(0, { host: "1.2.3.4", port: 5 });
    message[2] = 0xee;
    assertReads(parseReply, message, succeeded("1.2.3.4", 5));
  });

  for (const reply of [...Object.values(socks5Replies).filter((code) => code !== 0), 6, 9, 0xf0, 255]) {
    it(`reads the refusal ${reply} from its second byte on, and takes all that there is`, () => {
      const message = Buffer.concat([socks5Reply(reply), Buffer.from("go away")]);
      assert.deepEqual(parseReply(message.subarray(0, 0)), more);
      assert.deepEqual(parseReply(message.subarray(0, 1)), more);
      for (let length = 2; length <= message.length; length++) {
        const expected = { kind: "done", value: { kind: "refused", reply }, length };
        assert.deepEqual(parseReply(message.subarray(0, length)), expected);
      }
    });
  }

  for (const version of [0, 1, 4, 0x48]) {
    it(`refuses version ${version} at its first byte`, () => {
      const reason = `it replies in SOCKS version ${version}, expected 5`;
      assertRefuses(parseReply, Buffer.of(version, 0, 0, 1), 1, reason);
    });
  }

  for (const type of [0, 2, 5, 255]) {
    it(`refuses the address type ${type} once it is there`, () => {
      const reason = `it replies with an address of the unknown type ${type}`;
      assertRefuses(parseReply, Buffer.of(5, 0, 0, type, 1, 2, 3, 4, 0, 80), 4, reason);
    });
  }

  for (const host of ["", "a b", "a\nb", "\u0000"]) {
    it(`refuses the name ${JSON.stringify(host)} once it is whole`, () => {
      const message = socks5Reply(0, { host, port: 80 });
      const reason = "it replies with an address that is no host name or address";
      assertRefuses(parseReply, message, message.length, reason);
    });
  }
});

describe("the SOCKS5 parsers of a client", () => {
  it("never throw and never take more than there is, whatever they are given", () => {
    const random = createRandom(0x50c6);
    const parsers: readonly Parser<unknown>[] = [parseMethodChoice, parseLoginAnswer, parseReply];
    for (let round = 0; round < 20_000; round++) {
      const bytes = random.bytes(random.below(40));
      // Mostly with a beginning that gets past the first check.
      const start = random.pick([[5], [1], [5, 0, 0], [5, 0, 0, 3], [5, 0, 0, 4], []]);
      bytes.set(start.slice(0, bytes.length));
      for (const parse of parsers) {
        const result = parse(bytes);
        const taken = result.kind === "done" ? result.length : 0;
        assert.ok(taken <= bytes.length, `took ${taken} of ${bytes.toString("hex")}`);
      }
    }
  });
});

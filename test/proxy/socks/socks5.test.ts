import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ParseResult, Parser } from "../../../src/net/byte-reader.js";
import type { RejectionCode } from "../../../src/proxy/rejection.js";
import {
  formatLoginAnswer,
  formatMethodChoice,
  formatReply,
  parseGreeting,
  parseLogin,
  parseRequest,
  socks5Methods,
  socks5Replies,
  socks5ReplyTo,
  socks5Version,
  type Socks5Request,
} from "../../../src/proxy/socks/socks5.js";
import { createRandom } from "../../helpers/random.js";
import { socks5Greeting, socks5Login, socks5Request } from "../../helpers/socks5-client.js";

const more = { kind: "more" };

/** Checks a message cut at every byte, whole, and with bytes of the next one behind it. */
function assertReads<T>(parse: Parser<T>, message: Buffer, value: T): void {
  for (let length = 0; length < message.length; length++) {
    assert.deepEqual(parse(message.subarray(0, length)), more, `after ${length} bytes`);
  }
  const done = { kind: "done", value, length: message.length };
  assert.deepEqual(parse(message), done);
  for (const behind of ["\u0000", "\u0005\u0001\u0000", "GET / HTTP/1.1\r\n"]) {
    assert.deepEqual(parse(Buffer.concat([message, Buffer.from(behind)])), done);
  }
}

function refusal(result: ParseResult<Socks5Request>): readonly [reply: number, reason: string] {
  assert.ok(result.kind === "done" && result.value.kind === "refused", JSON.stringify(result));
  return [result.value.reply, result.value.reason];
}

describe("parseGreeting", () => {
  const everyMethod = Array.from({ length: 255 }, (_, method) => method);
  for (const methods of [[], [0], [2], [0, 2], [2, 1, 0x80, 0xfe], everyMethod]) {
    it(`reads ${methods.length} methods, whatever bytes are missing or follow`, () => {
      assertReads(parseGreeting, socks5Greeting(...methods), methods);
    });
  }

  for (const version of [0, 4, 6, 0x47, 255]) {
    it(`refuses version ${version} at its first byte`, () => {
      const reason = `SOCKS version ${version}, expected 5`;
      assert.deepEqual(parseGreeting(Buffer.of(version)), { kind: "bad", reason });
      assert.deepEqual(parseGreeting(Buffer.of(version, 1, 0)), { kind: "bad", reason });
    });
  }
});

describe("parseLogin", () => {
  const logins: readonly (readonly [title: string, username: string, password: string])[] = [
    ["a name and a password", "alice", "secret"],
    ["an empty name", "", "secret"],
    ["an empty password", "alice", ""],
    ["both empty", "", ""],
    ["255 bytes each", "a".repeat(255), "p".repeat(255)],
    ["UTF-8", "zoë-Ωμέγα", "пароль🔑"],
    ["bytes that look like the frame's", "\u0001\u0005", "\u0000\u0001"],
  ];
  for (const [title, username, password] of logins) {
    it(`reads ${title}, whatever bytes are missing or follow`, () => {
      assertReads(parseLogin, socks5Login(username, password), { username, password });
    });
  }

  it("tells name and password apart by their lengths", () => {
    assertReads(parseLogin, socks5Login("ab", "c"), { username: "ab", password: "c" });
    assertReads(parseLogin, socks5Login("a", "bc"), { username: "a", password: "bc" });
  });

  for (const version of [0, 2, 5]) {
    it(`refuses version ${version} at its first byte`, () => {
      const reason = `SOCKS login version ${version}, expected 1`;
      assert.deepEqual(parseLogin(Buffer.of(version)), { kind: "bad", reason });
      assert.deepEqual(parseLogin(socks5Login("alice", "secret", version)), { kind: "bad", reason });
    });
  }
});

describe("parseRequest", () => {
  const connect = (host: string, port: number): Socks5Request => ({
    kind: "connect",
    destination: { host, port },
  });

  const destinations: readonly (readonly [host: string, port: number])[] = [
    ["127.0.0.1", 80],
    ["0.0.0.0", 0],
    ["255.255.255.255", 65_535],
    ["1.2.3.4", 0x1234],
    ["::1", 443],
    ["2001:db8::1", 8080],
    ["example.com", 80],
    ["a", 1],
    ["bücher.example", 443],
    ["n".repeat(255), 65_535],
    ["127.0.0.1.example", 256],
  ];
  for (const [host, port] of destinations) {
    it(`reads ${host.slice(0, 30)} port ${port}, whatever bytes are missing or follow`, () => {
      assertReads(parseRequest, socks5Request({ host, port }), connect(host, port));
    });
  }

  it("takes an address that came as a name for the name it is", () => {
    const message = Buffer.concat([Buffer.of(5, 1, 0, 3, 9), Buffer.from("127.0.0.1"), Buffer.of(0, 80)]);
    assertReads(parseRequest, message, connect("127.0.0.1", 80));
  });

  it("does not look at the reserved byte", () => {
    const message = socks5Request({ host: "1.2.3.4", port: 5 });
    message[2] = 0xee;
    assertReads(parseRequest, message, connect("1.2.3.4", 5));
  });

  for (const command of [0, 2, 4, 9, 255]) {
    it(`refuses command ${command} with 07, without waiting for the address`, () => {
      const expected = [7, `SOCKS command ${command} is not supported`];
      const message = socks5Request({ host: "1.2.3.4", port: 80 }, command);
      assert.deepEqual(parseRequest(message.subarray(0, 3)), more);
      assert.deepEqual(refusal(parseRequest(message.subarray(0, 4))), expected);
      assert.deepEqual(refusal(parseRequest(message)), expected);
    });
  }

  for (const type of [0, 2, 5, 255]) {
    it(`refuses address type ${type} with 08`, () => {
      const message = Buffer.of(5, 1, 0, type, 1, 2, 3, 4, 0, 80);
      const expected = [8, `SOCKS address type ${type} is unknown`];
      assert.deepEqual(parseRequest(message.subarray(0, 3)), more);
      assert.deepEqual(refusal(parseRequest(message.subarray(0, 4))), expected);
      assert.deepEqual(refusal(parseRequest(message)), expected);
    });
  }

  const expectations: readonly (readonly [host: string, port: number])[] = [
    ["0.0.0.0", 0],
    ["::", 0],
    ["0.0.0.0", 5000],
    ["192.0.2.7", 0],
    ["192.0.2.7", 5000],
    ["2001:db8::7", 65_535],
    ["client.example", 5000],
  ];
  for (const [host, port] of expectations) {
    it(`reads an association with a client at ${host} port ${port}, whatever bytes are missing or follow`, () => {
      const expected = { host, port };
      assertReads(parseRequest, socks5Request(expected, 3), { kind: "associate", expected });
    });
  }

  it("refuses an association with a client at an unknown type of address, or at no host", () => {
    assert.deepEqual(refusal(parseRequest(Buffer.of(5, 3, 0, 2))), [8, "SOCKS address type 2 is unknown"]);
    for (const host of ["", "a b", "a\u0000b"]) {
      const message = socks5Request({ host, port: 0 }, 3);
      assert.deepEqual(parseRequest(message.subarray(0, -1)), more);
      assert.equal(refusal(parseRequest(message))[0], 1);
    }
  });

  it("refuses an unknown command before an unknown address type", () => {
    assert.equal(refusal(parseRequest(Buffer.of(5, 9, 0, 9)))[0], 7);
  });

  for (const version of [0, 1, 4]) {
    it(`refuses version ${version} with 01, at its first byte`, () => {
      const expected = [1, `SOCKS version ${version} in a request, expected 5`];
      assert.deepEqual(refusal(parseRequest(Buffer.of(version))), expected);
      assert.deepEqual(refusal(parseRequest(Buffer.of(version, 1, 0, 1, 1, 2, 3, 4, 0, 80))), expected);
    });
  }

  const noHosts: readonly (readonly [title: string, host: string])[] = [
    ["an empty name", ""],
    ["a name with a zero byte", "a\u0000b"],
    ["a name with a line feed", "a\nb"],
    ["a name with a carriage return", "a\rb"],
    ["a name with an escape", "\u001b[2J"],
    ["a name with DEL", "a\u007f"],
    ["a name with a C1 control", "a\u0085b"],
    ["a name with a blank", "a b"],
    ["a name with a no-break space", "a\u00a0b"],
    ["a name with a line separator", "a\u2028b"],
    ["a blank", " "],
  ];
  for (const [title, host] of noHosts) {
    it(`refuses ${title} with 01, once it is whole`, () => {
      const message = socks5Request({ host, port: 80 });
      for (let length = 0; length < message.length; length++) {
        assert.deepEqual(parseRequest(message.subarray(0, length)), more);
      }
      assert.deepEqual(refusal(parseRequest(message)), [1, "SOCKS destination is no host name or address"]);
    });
  }

  it("takes everything there is along with a refusal", () => {
    const message = Buffer.concat([socks5Request({ host: "a", port: 1 }, 2), Buffer.from("payload")]);
    assert.deepEqual(parseRequest(message), {
      kind: "done",
      value: { kind: "refused", reply: 7, reason: "SOCKS command 2 is not supported" },
      length: message.length,
    });
  });
});

describe("the SOCKS5 parsers", () => {
  it("never throw and never take more than there is, whatever they are given", () => {
    const random = createRandom(0x50c5);
    const parsers: readonly Parser<unknown>[] = [parseGreeting, parseLogin, parseRequest];
    for (let round = 0; round < 20_000; round++) {
      const bytes = random.bytes(random.below(40));
      // Mostly with a beginning that gets past the first check.
      const start = random.pick([[5], [1], [5, 1, 0], [5, 3, 0], [5, 1, 0, 3], [5, 1, 0, 4], []]);
      bytes.set(start.slice(0, bytes.length));
      for (const parse of parsers) {
        const result = parse(bytes);
        const taken = result.kind === "done" ? result.length : 0;
        assert.ok(taken <= bytes.length, `took ${taken} of ${bytes.toString("hex")}`);
      }
    }
  });
});

describe("formatMethodChoice", () => {
  const choices = [
    [socks5Methods.anonymous, "0500"],
    [socks5Methods.password, "0502"],
    [socks5Methods.none, "05ff"],
  ] as const;
  for (const [method, hex] of choices) {
    it(`writes ${hex}`, () => {
      assert.equal(formatMethodChoice(method).toString("hex"), hex);
    });
  }
});

describe("formatLoginAnswer", () => {
  it("is 01 00 for yes and 01 01 for no", () => {
    assert.equal(formatLoginAnswer(true).toString("hex"), "0100");
    assert.equal(formatLoginAnswer(false).toString("hex"), "0101");
  });
});

describe("formatReply", () => {
  const ends: readonly (readonly [host: string, port: number, hex: string])[] = [
    ["127.0.0.1", 80, "050000017f0000010050"],
    ["0.0.0.0", 0, "05000001000000000000"],
    ["255.255.255.255", 65_535, "05000001ffffffffffff"],
    ["::1", 443, `05000004${"00".repeat(15)}0101bb`],
    ["2001:db8::a", 0x1234, "0500000420010db800000000000000000000000a1234"],
    ["::ffff:1.2.3.4", 5, "0500000400000000000000000000ffff010203040005"],
    ["fe80::1%eth0", 1, "05000004fe8000000000000000000000000000010001"],
    ["fe80::1%2", 1, "05000004fe8000000000000000000000000000010001"],
  ];
  for (const [host, port, hex] of ends) {
    it(`writes the local end ${host} port ${port}`, () => {
      assert.equal(formatReply(socks5Replies.succeeded, { host, port }).toString("hex"), hex);
    });
  }

  for (const [name, reply] of Object.entries(socks5Replies)) {
    it(`writes ${name} without a local end as ${reply} and zeros`, () => {
      assert.deepEqual([...formatReply(reply)], [socks5Version, reply, 0, 1, 0, 0, 0, 0, 0, 0]);
    });
  }
});

describe("socks5ReplyTo", () => {
  const replies: readonly (readonly [code: RejectionCode, reply: number])[] = [
    ["blocked", 2],
    ["refused", 5],
    ["network-unreachable", 3],
    ["host-unreachable", 4],
    ["unresolved", 4],
    ["timeout", 4],
    ["aborted", 1],
    ["failed", 1],
  ];
  for (const [code, reply] of replies) {
    it(`answers ${code} with ${reply}`, () => {
      assert.equal(socks5ReplyTo(code), reply);
    });
  }
});

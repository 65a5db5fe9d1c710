import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  formatSocks4Reply,
  parseSocks4Request,
  socks4Replies,
  type Socks4Request,
} from "../../../src/proxy/socks/socks4.js";
import { createRandom } from "../../helpers/random.js";
import { socks4Request } from "../../helpers/socks4-client.js";

const more = { kind: "more" };
const maxTextBytes = 255;

function connect(host: string, port: number): Socks4Request {
  return { kind: "connect", destination: { host, port } };
}

/** Checks a message cut at every byte, whole, and with bytes of the payload behind it. */
function assertReads(message: Buffer, value: Socks4Request): void {
  for (let length = 0; length < message.length; length++) {
    assert.deepEqual(parseSocks4Request(message.subarray(0, length)), more, `after ${length} bytes`);
  }
  const done = { kind: "done", value, length: message.length };
  assert.deepEqual(parseSocks4Request(message), done);
  for (const behind of ["\u0000", "\u0004\u0001\u0000", "GET / HTTP/1.1\r\n"]) {
    assert.deepEqual(parseSocks4Request(Buffer.concat([message, Buffer.from(behind)])), done);
  }
}

/** Checks that a message is refused from its first `length` bytes on, which are asked for, and no earlier. */
function assertRefuses(message: Buffer, length: number, reason: string): void {
  for (let early = 0; early < length; early++) {
    assert.deepEqual(parseSocks4Request(message.subarray(0, early)), more, `after ${early} bytes`);
  }
  for (const bytes of [message.subarray(0, length), message]) {
    // All of it is taken: nobody is to read on behind a refusal.
    const result = { kind: "done", value: { kind: "refused", reason }, length: bytes.length };
    assert.deepEqual(parseSocks4Request(bytes), result);
  }
}

describe("parseSocks4Request", () => {
  it("reads the example of the SOCKS4 memo's form, byte for byte", () => {
    const message = Buffer.from("04010050c0000201416c69636500", "hex");
    assertReads(message, connect("192.0.2.1", 80));
  });

  it("reads the example of the SOCKS4a memo's form, byte for byte", () => {
    const message = Buffer.from("040101bb00000001416c696365006578616d706c652e636f6d00", "hex");
    assertReads(message, connect("example.com", 443));
  });

  const destinations: readonly (readonly [host: string, port: number])[] = [
    ["127.0.0.1", 80],
    ["255.255.255.255", 65_535],
    ["1.2.3.4", 0x1234],
    ["0.0.0.0", 0],
    ["0.0.1.2", 1],
    ["0.1.0.2", 1],
    ["1.0.0.2", 1],
    ["example.com", 80],
    ["a", 1],
    ["bücher.example", 443],
    ["2001:db8::1", 443],
    ["n".repeat(maxTextBytes), 65_535],
    ["127.0.0.1.example", 256],
  ];
  const userIds: readonly (readonly [title: string, userId: string | Buffer])[] = [
    ["no user id", ""],
    ["a user id", "alice"],
    ["the longest user id", "u".repeat(maxTextBytes)],
    ["a user id of any bytes", Buffer.of(1, 4, 255, 10, 32)],
  ];
  for (const [host, port] of destinations) {
    for (const [title, userId] of userIds) {
      it(`reads ${host.slice(0, 30)} port ${port} with ${title}, whatever bytes are missing or follow`, () => {
        assertReads(socks4Request({ host, port }, { userId }), connect(host, port));
      });
    }
  }

  for (const last of [1, 2, 128, 255]) {
    it(`reads a name behind the address 0.0.0.${last}`, () => {
      const message = socks4Request({ host: "example.com", port: 80 });
      message[7] = last;
      assertReads(message, connect("example.com", 80));
    });
  }

  it("takes an address that came as a name for the name it is", () => {
    const message = Buffer.concat([Buffer.of(4, 1, 0, 80, 0, 0, 0, 1, 0), Buffer.from("127.0.0.1\u0000")]);
    assertReads(message, connect("127.0.0.1", 80));
  });

  it("does not take the payload behind an address for a name", () => {
    const message = socks4Request({ host: "0.0.0.0", port: 80 });
    const payload = Buffer.from("example.com\u0000");
    assert.deepEqual(parseSocks4Request(Buffer.concat([message, payload])), {
      kind: "done",
      value: connect("0.0.0.0", 80),
      length: message.length,
    });
  });

  for (const [title, command] of [
    ["BIND", 2],
    ["command 0", 0],
    ["command 3", 3],
    ["command 255", 255],
  ] as const) {
    it(`refuses ${title} at its second byte`, () => {
      const message = socks4Request({ host: "1.2.3.4", port: 80 }, { command });
      assertRefuses(message, 2, `SOCKS4 command ${command} is not supported`);
    });
  }

  for (const version of [0, 1, 5, 255]) {
    it(`refuses version ${version} at its first byte`, () => {
      const message = socks4Request({ host: "1.2.3.4", port: 80 });
      message[0] = version;
      assertRefuses(message, 1, `SOCKS version ${version}, expected 4`);
    });
  }

  const tooLong = "x".repeat(maxTextBytes + 1);
  it("refuses a user id of 256 bytes, without waiting for its end", () => {
    const message = socks4Request({ host: "1.2.3.4", port: 80 }, { userId: tooLong });
    assertRefuses(message, 8 + tooLong.length, "SOCKS4 user id of more than 255 bytes");
  });

  it("refuses a name of 256 bytes, without waiting for its end", () => {
    const message = socks4Request({ host: tooLong, port: 80 }, { userId: "alice" });
    assertRefuses(message, 8 + 6 + tooLong.length, "SOCKS4a name of more than 255 bytes");
  });

  it("counts the bytes of a name, not its letters", () => {
    const letters = "é".repeat(128);
    const message = socks4Request({ host: letters, port: 80 });
    assertRefuses(message, 8 + 1 + 256, "SOCKS4a name of more than 255 bytes");
  });

  it("never asks for more than 521 bytes", () => {
    const endless = Buffer.concat([Buffer.of(4, 1, 0, 80, 0, 0, 0, 1), Buffer.alloc(1_000, "x")]);
    for (let userIdBytes = 0; userIdBytes <= maxTextBytes; userIdBytes++) {
      const message = Buffer.from(endless);
      message[8 + userIdBytes] = 0;
      assert.equal(parseSocks4Request(message.subarray(0, 521)).kind, "done", `user id of ${userIdBytes}`);
    }
  });

  const noHosts: readonly (readonly [title: string, host: string])[] = [
    ["an empty name", ""],
    ["a name with a line feed", "a\nb"],
    ["a name with a carriage return", "a\rb"],
    ["a name with an escape", "\u001b[2J"],
    ["a name with a C1 control", "a\u0085b"],
    ["a name with a blank", "a b"],
    ["a name with a line separator", "a\u2028b"],
  ];
  for (const [title, host] of noHosts) {
    it(`refuses ${title}, once it is whole`, () => {
      const message = socks4Request({ host, port: 80 });
      assertRefuses(message, message.length, "SOCKS4a destination is no host name or address");
    });
  }

  it("never throws and never takes more than there is, whatever it is given", () => {
    const random = createRandom(0x50c4);
    for (let round = 0; round < 20_000; round++) {
      const bytes = random.bytes(random.below(40));
      // Mostly with a beginning that gets past the first checks.
      const start = random.pick([[4], [4, 1], [4, 1, 0, 80, 0, 0, 0, 1], [4, 1, 0, 80, 0, 0, 0, 1, 0], []]);
      bytes.set(start.slice(0, bytes.length));
      const result = parseSocks4Request(bytes);
      const taken = result.kind === "done" ? result.length : 0;
      assert.ok(taken <= bytes.length, `took ${taken} of ${bytes.toString("hex")}`);
    }
  });
});

describe("formatSocks4Reply", () => {
  const ends: readonly (readonly [host: string, port: number, hex: string])[] = [
    ["127.0.0.1", 80, "005a00507f000001"],
    ["192.0.2.1", 1080, "005a0438c0000201"],
    ["255.255.255.255", 65_535, "005affffffffffff"],
    ["0.0.0.0", 256, "005a010000000000"],
    ["::1", 443, "005a01bb00000000"],
    ["2001:db8::a", 0x1234, "005a123400000000"],
    ["::ffff:1.2.3.4", 5, "005a000500000000"],
    ["fe80::1%eth0", 1, "005a000100000000"],
  ];
  for (const [host, port, hex] of ends) {
    it(`writes the local end ${host} port ${port}`, () => {
      assert.equal(formatSocks4Reply(socks4Replies.granted, { host, port }).toString("hex"), hex);
    });
  }

  const replies = [
    [socks4Replies.granted, "005a000000000000"],
    [socks4Replies.rejected, "005b000000000000"],
  ] as const;
  for (const [reply, hex] of replies) {
    it(`writes ${hex} without a local end`, () => {
      assert.equal(formatSocks4Reply(reply).toString("hex"), hex);
    });
  }
});

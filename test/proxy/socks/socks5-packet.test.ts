import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoint } from "../../../src/net/endpoint.js";
import {
  formatSocksPacketHeader,
  parseSocksPacket,
  SocksPacketParser,
} from "../../../src/proxy/socks/socks5-packet.js";
import { createRandom } from "../../helpers/random.js";
import { readSocks5Packet, socks5Packet } from "../../helpers/socks5-udp-client.js";

const payload = Buffer.from("payload");

/** Why it is none that can be passed on. */
function reasonOf(datagram: Buffer): string {
  const parsed = parseSocksPacket(datagram);
  assert.ok(parsed.kind === "bad", JSON.stringify(parsed));
  return parsed.reason;
}

/** A destination of each kind. */
const endpoints: readonly [Endpoint, ...Endpoint[]] = [
  { host: "127.0.0.1", port: 80 },
  { host: "255.255.255.255", port: 65_535 },
  { host: "0.0.0.0", port: 1 },
  { host: "::1", port: 443 },
  { host: "2001:db8::a", port: 0x1234 },
  { host: "a", port: 256 },
  { host: "bücher.example", port: 255 },
  { host: "n".repeat(255), port: 53 },
];

describe("parseSocksPacket", () => {
  for (const endpoint of endpoints) {
    const title = `${endpoint.host.slice(0, 30)} port ${endpoint.port}`;

    it(`reads a packet for ${title}, of whatever length`, () => {
      for (const length of [0, 1, 2, 1_200, 65_000]) {
        const bytes = createRandom(length).bytes(length);
        const parsed = parseSocksPacket(socks5Packet(bytes, endpoint));
        assert.ok(parsed.kind === "packet");
        assert.deepEqual(parsed.endpoint, endpoint);
        assert.ok(parsed.payload.equals(bytes));
      }
    });

    it(`says of a packet for ${title} that is cut anywhere before its payload why it is bad`, () => {
      const header = socks5Packet("", endpoint);
      for (let length = 0; length < header.length; length++) {
        const expected = length < 3 ? "it is no SOCKS packet" : "it ends within its address";
        assert.equal(reasonOf(header.subarray(0, length)), expected, `${length} bytes`);
      }
    });
  }

  it("copies nothing", () => {
    const datagram = socks5Packet(payload, { host: "1.2.3.4", port: 5 });
    const parsed = parseSocksPacket(datagram);
    assert.ok(parsed.kind === "packet");
    assert.equal(parsed.payload.buffer, datagram.buffer);
    assert.equal(parsed.payload.byteOffset, datagram.byteOffset + 10);
  });

  it("does not take payload for another header", () => {
    const inner = socks5Packet(payload, { host: "::1", port: 6 });
    const parsed = parseSocksPacket(socks5Packet(inner, { host: "1.2.3.4", port: 5 }));
    assert.deepEqual(parsed, { kind: "packet", endpoint: { host: "1.2.3.4", port: 5 }, payload: inner });
  });

  for (const fragment of [1, 2, 0x7f, 0x80, 0x81, 255]) {
    it(`does not put fragment ${fragment} together with others`, () => {
      const expected = `it is a fragment (FRAG ${fragment}), which are not put together here`;
      const datagram = socks5Packet(payload, { host: "1.2.3.4", port: 5 }, fragment);
      assert.equal(reasonOf(datagram), expected);
      assert.equal(reasonOf(datagram.subarray(0, 3)), expected);
    });
  }

  const reserved = [
    [1, 0],
    [0, 1],
    [0xff, 0xff],
    // A SOCKS5 request, and a DNS query, that went to the wrong port.
    [5, 1],
    [0x12, 0x34],
  ] as const;
  for (const bytes of reserved) {
    it(`refuses ${bytes.join(" ")} where there must be zeros`, () => {
      const datagram = socks5Packet(payload, { host: "1.2.3.4", port: 5 });
      datagram.set(bytes);
      assert.equal(reasonOf(datagram), "it is no SOCKS packet");
    });
  }

  for (const type of [0, 2, 5, 255]) {
    it(`does not know address type ${type}`, () => {
      const datagram = Buffer.of(0, 0, 0, type, 1, 2, 3, 4, 0, 80, 1, 2, 3);
      const expected = `its address type ${type} is unknown`;
      assert.equal(reasonOf(datagram), expected);
      assert.equal(reasonOf(datagram.subarray(0, 4)), expected);
    });
  }

  for (const host of ["", "a\u0000b", "a\nb", "a b", "\u001b[2J", "a\u0085", " "]) {
    it(`finds no host in ${JSON.stringify(host)}`, () => {
      assert.equal(
        reasonOf(socks5Packet(payload, { host, port: 80 })),
        "its address is no host name or address",
      );
    });
  }

  for (const host of ["1.2.3.4", "::1", "a.test"]) {
    it(`refuses port 0 of ${host}`, () => {
      assert.equal(reasonOf(socks5Packet(payload, { host, port: 0 })), "its port is 0");
    });
  }

  it("finds fault with the fragment first, then with the type, then the host, then the port", () => {
    assert.match(reasonOf(Buffer.of(0, 0, 1, 9)), /^it is a fragment/);
    assert.match(reasonOf(Buffer.of(0, 0, 0, 9)), /^its address type 9/);
    assert.match(reasonOf(Buffer.of(0, 0, 0, 3, 1, 0x20, 0, 0)), /^its address is no host/);
  });

  it("never throws, whatever it is given", () => {
    const random = createRandom(0x0d9);
    const kinds = new Set<string>();
    for (let round = 0; round < 20_000; round++) {
      const datagram = random.bytes(random.below(40));
      // Mostly with a beginning that gets past the first check.
      const start = random.pick([[0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 3, 4], [0, 0, 0, 4], [0, 0], []]);
      datagram.set(start.slice(0, datagram.length));
      kinds.add(parseSocksPacket(datagram).kind);
    }
    assert.deepEqual([...kinds].sort(), ["bad", "packet"]);
  });
});

describe("SocksPacketParser", () => {
  it("makes of each datagram what it would make of it alone, whatever came before", () => {
    const random = createRandom(0x5ea);
    const parser = new SocksPacketParser();
    for (let round = 0; round < 5_000; round++) {
      const datagram = socks5Packet(payload, random.pick(endpoints));
      const kind = random.below(4);
      // Often as the one before, often cut, often with another byte somewhere.
      const cut = kind === 0 ? datagram.subarray(0, random.below(datagram.length)) : datagram;
      if (kind === 1) cut[random.below(cut.length)] = random.below(256);
      assert.deepEqual(parser.parse(cut), parseSocksPacket(cut), cut.toString("hex"));
    }
  });

  it("reads the header of the same destination once", () => {
    const parser = new SocksPacketParser();
    const [first, second] = ["one", "two"].map((text) => {
      const parsed = parser.parse(socks5Packet(text, { host: "a.test", port: 5 }));
      assert.ok(parsed.kind === "packet");
      return parsed;
    });
    assert.equal(first?.endpoint, second?.endpoint);
    assert.deepEqual([first?.payload.toString(), second?.payload.toString()], ["one", "two"]);
  });

  it("keeps nothing of a datagram, whose bytes are its receiver's", () => {
    const parser = new SocksPacketParser();
    const [a, b] = [5, 6].map((port) => socks5Packet(payload, { host: "1.2.3.4", port }));
    assert.ok(a !== undefined && b !== undefined);
    parser.parse(a);
    b.copy(a);
    assert.deepEqual(parser.parse(b), { kind: "packet", endpoint: { host: "1.2.3.4", port: 6 }, payload });
  });
});

describe("formatSocksPacketHeader", () => {
  const headers: readonly (readonly [endpoint: Endpoint, hex: string])[] = [
    [{ host: "127.0.0.1", port: 80 }, "000000017f0000010050"],
    [{ host: "::1", port: 443 }, `00000004${"00".repeat(15)}0101bb`],
    [{ host: "example.com", port: 53 }, "000000030b6578616d706c652e636f6d0035"],
  ];
  for (const [endpoint, hex] of headers) {
    it(`writes what stands before a payload from ${endpoint.host}`, () => {
      assert.equal(formatSocksPacketHeader(endpoint).toString("hex"), hex);
    });
  }

  for (const endpoint of endpoints) {
    it(`writes what is read back from ${endpoint.host.slice(0, 30)} port ${endpoint.port}`, () => {
      const datagram = Buffer.concat([formatSocksPacketHeader(endpoint), payload]);
      assert.deepEqual(parseSocksPacket(datagram), { kind: "packet", endpoint, payload });
    });
  }

  it("writes what clients read", () => {
    for (const endpoint of endpoints.slice(0, 5)) {
      const datagram = Buffer.concat([formatSocksPacketHeader(endpoint), payload]);
      assert.deepEqual(readSocks5Packet(datagram), { payload, endpoint });
    }
  });

  it("refuses a name of more than 255 bytes", () => {
    assert.throws(() => formatSocksPacketHeader({ host: "n".repeat(256), port: 80 }), {
      name: "RangeError",
      message: "host name of 256 bytes, at most 255 fit",
    });
  });
});

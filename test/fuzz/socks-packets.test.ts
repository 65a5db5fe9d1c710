import assert from "node:assert/strict";
import { isIP, SocketAddress } from "node:net";
import { describe, it } from "node:test";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { formatSocksPacketHeader, parseSocksPacket } from "../../src/proxy/socks/socks5-packet.js";
import { socks5Packet } from "../helpers/socks5-udp-client.js";
import { anyBytes, mutated, toBytes, toText } from "./byte-text.js";
import { fuzz, fuzzLimits } from "./fuzz.js";

/** The longest header: of a name of 255 bytes. */
const maxHeaderBytes = 3 + 1 + 1 + 255 + 2;

const port = fc.integer({ min: 1, max: 65_535 });
const name = fc.oneof(
  fc.stringMatching(/^[a-z0-9.-]{1,255}$/),
  fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 80 })
    .filter((text) => /^[^\p{Cc}\p{Z}]+$/u.test(text) && Buffer.byteLength(text) < 256),
);
/** As our library of addresses writes them. */
const ipv6 = fc.ipV6().map((address) => ipaddr.parse(address).toString());
const endpoint = fc.record({ host: fc.oneof(name, fc.ipV4(), ipv6), port });

const packet = fc
  .record({ endpoint, payload: anyBytes(100), fragment: fc.constantFrom(0, 0, 0, 1, 0x80) })
  .map(({ endpoint: to, payload, fragment }) => toText(socks5Packet(toBytes(payload), to, fragment)));

/** Anything, what nearly is a packet, and what gets past the first check. */
const datagram = fc.oneof(
  anyBytes(400),
  mutated(packet),
  fc
    .tuple(fc.constantFrom(0, 1, 3, 4, 5), anyBytes(300))
    .map(([type, rest]) => `\0\0\0${String.fromCharCode(type)}${rest}`),
);

/** What is passed on of a datagram, its header written anew; the datagram itself if there is no packet in it. */
function passedOn(text: string): string {
  const parsed = parseSocksPacket(toBytes(text));
  if (parsed.kind === "bad") return text;
  return toText(Buffer.concat([formatSocksPacketHeader(parsed.endpoint), parsed.payload]));
}

/** Whether the name in a header is an IP address, which is passed on as one. */
function isAddressAsName(text: string): boolean {
  const bytes = toBytes(text);
  const [address = ""] = bytes
    .subarray(5, 5 + (bytes[4] ?? 0))
    .toString()
    .split("%", 1);
  return bytes[3] === 3 && isIP(address) !== 0;
}

describe("the packets of SOCKS associations", () => {
  it("are taken apart, or there is a reason why not, without an exception", fuzzLimits, async () => {
    await fuzz({
      name: "socks-packet-anything",
      inputs: datagram,
      holds: (text) => {
        const parsed = parseSocksPacket(toBytes(text));
        const isPacket = parsed.kind === "packet";
        const payload = isPacket ? toText(parsed.payload) : "";
        const headerBytes = isPacket ? text.length - payload.length : maxHeaderBytes;
        assert.ok(text.endsWith(payload), "the payload is what the datagram ends with");
        assert.ok(headerBytes >= 3 + 1 + 2 + 2 && headerBytes <= maxHeaderBytes, `${headerBytes} bytes`);
        const found = isPacket ? `${parsed.endpoint.host}:${parsed.endpoint.port}` : parsed.reason;
        assert.match(found, isPacket ? /^[^\p{Cc}\p{Z}]+:[1-9]\d{0,4}$/u : /^\P{Cc}+$/u);
      },
    });
  });

  it("are written as they were read", fuzzLimits, async () => {
    await fuzz({
      name: "socks-packet-rewritten",
      inputs: fc.oneof(mutated(packet, { max: 1 }), datagram),
      holds: (text) => {
        const written = passedOn(text);
        assert.equal(written, isAddressAsName(text) ? written : text);
        assert.equal(passedOn(written), written);
      },
    });
  });

  it("are read as they were written, whatever was cut off their payload", fuzzLimits, async () => {
    await fuzz({
      name: "socks-packet-round-trip",
      inputs: fc.record({ endpoint, payload: anyBytes(100) }),
      holds: ({ endpoint: to, payload }) => {
        const header = formatSocksPacketHeader(to);
        for (let length = 0; length < header.length; length++) {
          assert.equal(parseSocksPacket(header.subarray(0, length)).kind, "bad", `${length} bytes`);
        }
        for (const part of [payload, ""]) {
          const written = Buffer.concat([header, toBytes(part)]);
          assert.deepEqual(parseSocksPacket(written), {
            kind: "packet",
            endpoint: to,
            payload: toBytes(part),
          });
        }
      },
    });
  });

  it("write every spelling of an IPv6 address alike, in whatever zone it is", fuzzLimits, async () => {
    await fuzz({
      name: "socks-packet-ipv6",
      inputs: fc.record({
        address: fc.ipV6(),
        zone: fc.constantFrom("", "%eth0", "%2", "%eth0.100", "%br-lan", "%wg_home"),
      }),
      holds: ({ address, zone }) => {
        // As the sockets of this machine write it, where they say who a packet comes from.
        const written = new SocketAddress({ address, family: "ipv6" }).address;
        const [header, again] = [`${address}${zone}`, written].map((host) =>
          formatSocksPacketHeader({ host, port: 53 }),
        );
        assert.deepEqual(header, again);
      },
    });
  });
});

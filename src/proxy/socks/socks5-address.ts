import { isUtf8 } from "node:buffer";
import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";
import type { Endpoint } from "../../net/endpoint.js";
import { isPlausibleHost } from "../plausible-host.js";

/*
 * The address in SOCKS5 messages (RFC 1928 §5); one cell is one byte unless it says otherwise. In requests, replies and
 * packets alike it begins at the fourth byte.
 *
 *   ATYP  ADDR  PORT[2]
 *
 *   ATYP 01: ADDR[4], IPv4 · 03: LEN ADDR[LEN], a name · 04: ADDR[16], IPv6
 */

const addressTypes = { ipv4: 1, name: 3, ipv6: 4 } as const;
const typeIndex = 3;
const addressStart = typeIndex + 1;

/** The longest name that an address has room for, in bytes of UTF-8. */
export const maxSocksNameBytes = 255;

/** An address as far as it could be read. */
export type ParsedSocksAddress =
  | {
      readonly kind: "done";
      readonly endpoint: Endpoint;
      /** Where what is behind it begins. */
      readonly end: number;
    }
  | { readonly kind: "more" }
  | { readonly kind: "unknown type"; readonly type: number }
  /** A name that is none. */
  | { readonly kind: "no host" };

/** Reads the address and port of a message. */
export function parseSocksAddress(message: Buffer): ParsedSocksAddress {
  const type = message[typeIndex];
  if (type === undefined) return { kind: "more" };
  const length = addressLength(message, type);
  if (length === undefined) return { kind: "unknown type", type };
  const addressEnd = addressStart + length;
  const end = addressEnd + 2;
  if (message.length < end) return { kind: "more" };
  const host = readHost(message, type, addressEnd);
  if (host === undefined || !isPlausibleHost(host)) return { kind: "no host" };
  return { kind: "done", endpoint: { host, port: message.readUInt16BE(addressEnd) }, end };
}

/**
 * Writes an address and port: ATYP, ADDR and PORT.
 *
 * @throws RangeError for a name of more than 255 bytes.
 */
export function formatSocksAddress({ host, port }: Endpoint): Buffer {
  return Buffer.concat([formatHost(host), Buffer.of(port >> 8, port & 0xff)]);
}

function addressLength(message: Buffer, type: number): number | undefined {
  switch (type) {
    case addressTypes.ipv4:
      return 4;
    case addressTypes.ipv6:
      return 16;
    case addressTypes.name:
      return 1 + (message[addressStart] ?? 0);
    default:
      return undefined;
  }
}

function readHost(message: Buffer, type: number, end: number): string | undefined {
  const bytes = message.subarray(addressStart, end);
  switch (type) {
    case addressTypes.ipv4:
      return bytes.join(".");
    case addressTypes.ipv6:
      return ipaddr.fromByteArray([...bytes]).toString();
    default: {
      // Read with replacement characters it would be another name, which might not even fit any more.
      const name = bytes.subarray(1);
      return isUtf8(name) ? name.toString() : undefined;
    }
  }
}

function formatHost(host: string): Buffer {
  if (isIPv4(host)) return Buffer.of(addressTypes.ipv4, ...host.split(".").map(Number));
  // A zone (fe80::1%eth0.100) is a name of this machine's, which means nothing to another.
  const [address = host] = host.split("%", 1);
  if (isIPv6(address)) return Buffer.of(addressTypes.ipv6, ...toBytes(address));
  const name = Buffer.from(host);
  if (name.length > maxSocksNameBytes) {
    throw new RangeError(`host name of ${name.length} bytes, at most ${maxSocksNameBytes} fit`);
  }
  return Buffer.concat([Buffer.of(addressTypes.name, name.length), name]);
}

/** The bytes of an IPv6 address. */
function toBytes(address: string): number[] {
  // Without a group before it, ipaddr.js takes `::1.2.3.4` for `::ffff:1.2.3.4`.
  return ipaddr.parse(address.replace(/^::(?=\d+\.)/, "::0:")).toByteArray();
}

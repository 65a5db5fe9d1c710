import { isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";
import type { ParseResult } from "../net/byte-reader.js";
import type { Endpoint } from "../net/endpoint.js";
import { isPlausibleHost } from "./plausible-host.js";
import type { RejectionCode } from "./rejection.js";

/*
 * The messages of SOCKS5 (RFC 1928) and of its login (RFC 1929); one cell is one byte unless it says otherwise.
 *
 *   greeting        05  NMETHODS  METHODS[NMETHODS]
 *   method choice   05  METHOD
 *   login           01  ULEN  UNAME[ULEN]  PLEN  PASSWD[PLEN]
 *   login answer    01  STATUS (00 = right)
 *   request         05  CMD  00  ATYP  DST.ADDR  DST.PORT[2]
 *   reply           05  REP  00  ATYP  BND.ADDR  BND.PORT[2]
 *
 *   ATYP 01: ADDR[4], IPv4 · 03: LEN ADDR[LEN], a name · 04: ADDR[16], IPv6
 */

/** First byte of every SOCKS5 message but those of the login. */
export const socks5Version = 5;
const loginVersion = 1;
const addressTypes = { ipv4: 1, name: 3, ipv6: 4 } as const;
const connectCommand = 1;

/** Ways to log in; `none` may stand in a method choice only. */
export const socks5Methods = { anonymous: 0, password: 2, none: 0xff } as const;
export type Socks5Method = (typeof socks5Methods)[keyof typeof socks5Methods];

/** Values of REP. */
export const socks5Replies = {
  succeeded: 0,
  generalFailure: 1,
  blocked: 2,
  networkUnreachable: 3,
  hostUnreachable: 4,
  refused: 5,
  commandNotSupported: 7,
  addressTypeNotSupported: 8,
} as const;
export type Socks5Reply = (typeof socks5Replies)[keyof typeof socks5Replies];

export interface Socks5Login {
  readonly username: string;
  readonly password: string;
}

/** A request to connect, or why it cannot be one. */
export type Socks5Request =
  | { readonly kind: "connect"; readonly destination: Endpoint }
  | { readonly kind: "refused"; readonly reply: Socks5Reply; readonly reason: string };

const more = { kind: "more" } as const;

/** Reads the methods that a client offers. */
export function parseGreeting(bytes: Buffer): ParseResult<readonly number[]> {
  const [version, count] = bytes;
  if (version === undefined) return more;
  if (version !== socks5Version) return { kind: "bad", reason: `SOCKS version ${version}, expected 5` };
  if (count === undefined || bytes.length < 2 + count) return more;
  return { kind: "done", value: [...bytes.subarray(2, 2 + count)], length: 2 + count };
}

/** Reads a username and password. */
export function parseLogin(bytes: Buffer): ParseResult<Socks5Login> {
  const [version, usernameLength] = bytes;
  if (version === undefined) return more;
  if (version !== loginVersion) return { kind: "bad", reason: `SOCKS login version ${version}, expected 1` };
  if (usernameLength === undefined) return more;
  const passwordStart = 2 + usernameLength + 1;
  const passwordLength = bytes[passwordStart - 1];
  if (passwordLength === undefined) return more;
  const length = passwordStart + passwordLength;
  if (bytes.length < length) return more;
  const username = bytes.toString("utf8", 2, passwordStart - 1);
  const password = bytes.toString("utf8", passwordStart, length);
  return { kind: "done", value: { username, password }, length };
}

/** Reads a request as soon as enough of it is there to answer it. */
export function parseRequest(bytes: Buffer): ParseResult<Socks5Request> {
  const [version, command, , addressType] = bytes;
  if (version === undefined) return more;
  if (version !== socks5Version) {
    return refused(bytes, socks5Replies.generalFailure, `SOCKS version ${version} in a request, expected 5`);
  }
  if (command === undefined || addressType === undefined) return more;
  if (command !== connectCommand) {
    return refused(bytes, socks5Replies.commandNotSupported, `SOCKS command ${command} is not supported`);
  }
  const address = parseAddress(bytes, addressType);
  if (address === undefined) {
    return refused(
      bytes,
      socks5Replies.addressTypeNotSupported,
      `SOCKS address type ${addressType} is unknown`,
    );
  }
  if (bytes.length < address.end + 2) return more;
  const host = address.read();
  if (!isPlausibleHost(host)) {
    return refused(bytes, socks5Replies.generalFailure, `SOCKS destination is no host name or address`);
  }
  const destination = { host, port: bytes.readUInt16BE(address.end) };
  return { kind: "done", value: { kind: "connect", destination }, length: address.end + 2 };
}

/** Writes the answer to a greeting. */
export function formatMethodChoice(method: Socks5Method): Buffer {
  return Buffer.of(socks5Version, method);
}

/** Writes the answer to a login. */
export function formatLoginAnswer(isRight: boolean): Buffer {
  return Buffer.of(loginVersion, isRight ? 0 : 1);
}

/** Writes the answer to a request; `boundTo` is our end of the connection to the destination. */
export function formatReply(reply: Socks5Reply, boundTo: Endpoint = { host: "0.0.0.0", port: 0 }): Buffer {
  const address = formatAddress(boundTo.host);
  const port = Buffer.alloc(2);
  port.writeUInt16BE(boundTo.port);
  return Buffer.concat([Buffer.of(socks5Version, reply, 0), address, port]);
}

/** What a failed dial means in SOCKS5. */
export function socks5ReplyTo(code: RejectionCode): Socks5Reply {
  return repliesTo[code];
}

const repliesTo: Readonly<Record<RejectionCode, Socks5Reply>> = {
  blocked: socks5Replies.blocked,
  refused: socks5Replies.refused,
  "network-unreachable": socks5Replies.networkUnreachable,
  "host-unreachable": socks5Replies.hostUnreachable,
  unresolved: socks5Replies.hostUnreachable,
  timeout: socks5Replies.hostUnreachable,
  aborted: socks5Replies.generalFailure,
  failed: socks5Replies.generalFailure,
};

function refused(bytes: Buffer, reply: Socks5Reply, reason: string): ParseResult<Socks5Request> {
  return { kind: "done", value: { kind: "refused", reply, reason }, length: bytes.length };
}

/** Where the address of a request ends, and how to read it once it is all there. */
interface AddressLayout {
  readonly end: number;
  read(): string;
}

const addressStart = 4;

function parseAddress(bytes: Buffer, type: number): AddressLayout | undefined {
  switch (type) {
    case addressTypes.ipv4: {
      const end = addressStart + 4;
      return { end, read: () => formatIpAddress(bytes.subarray(addressStart, end)) };
    }
    case addressTypes.ipv6: {
      const end = addressStart + 16;
      return { end, read: () => formatIpAddress(bytes.subarray(addressStart, end)) };
    }
    case addressTypes.name: {
      const end = addressStart + 1 + (bytes[addressStart] ?? 0);
      return { end, read: () => bytes.toString("utf8", addressStart + 1, end) };
    }
    default:
      return undefined;
  }
}

function formatIpAddress(bytes: Buffer): string {
  return ipaddr.fromByteArray([...bytes]).toString();
}

function formatAddress(host: string): Buffer {
  const type = isIPv6(host) ? addressTypes.ipv6 : addressTypes.ipv4;
  return Buffer.of(type, ...ipaddr.parse(host).toByteArray());
}

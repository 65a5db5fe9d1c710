import type { ParseResult } from "../../net/byte-reader.js";
import type { Endpoint } from "../../net/endpoint.js";
import type { RejectionCode } from "../rejection.js";
import { formatSocksAddress, parseSocksAddress } from "./socks5-address.js";

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
 *   CMD 01: CONNECT · 03: UDP ASSOCIATE, where DST is what the client will send its packets from, if it knows
 */

/** First byte of every SOCKS5 message but those of the login. */
export const socks5Version = 5;
const loginVersion = 1;
const kinds: ReadonlyMap<number, "connect" | "associate"> = new Map([
  [1, "connect"],
  [3, "associate"],
]);

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

/** The longest name or password that a login has room for, in bytes of UTF-8: it has one byte for the length (RFC 1929). */
export const maxSocksCredentialBytes = 255;

export interface Socks5Login {
  readonly username: string;
  readonly password: string;
}

/** A request for a connection or for an association, or why it cannot be one. */
export type Socks5Request =
  | { readonly kind: "connect"; readonly destination: Endpoint }
  | {
      readonly kind: "associate";
      /** Where the client will send its packets from; all zeros if it does not know. */
      readonly expected: Endpoint;
    }
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
  const [version, command] = bytes;
  if (version === undefined) return more;
  if (version !== socks5Version) {
    return refused(bytes, socks5Replies.generalFailure, `SOCKS version ${version} in a request, expected 5`);
  }
  if (command === undefined || bytes.length < 4) return more;
  const kind = kinds.get(command);
  if (kind === undefined) {
    return refused(bytes, socks5Replies.commandNotSupported, `SOCKS command ${command} is not supported`);
  }
  const address = parseSocksAddress(bytes);
  switch (address.kind) {
    case "more":
      return more;
    case "unknown type":
      return refused(
        bytes,
        socks5Replies.addressTypeNotSupported,
        `SOCKS address type ${address.type} is unknown`,
      );
    case "no host":
      return refused(bytes, socks5Replies.generalFailure, "SOCKS destination is no host name or address");
    case "done": {
      const { endpoint, end: length } = address;
      const value = kind === "connect" ? { kind, destination: endpoint } : { kind, expected: endpoint };
      return { kind: "done", value, length };
    }
  }
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
  return Buffer.concat([Buffer.of(socks5Version, reply, 0), formatSocksAddress(boundTo)]);
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

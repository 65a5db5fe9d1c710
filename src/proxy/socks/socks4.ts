import { isIPv4 } from "node:net";
import type { ParseResult } from "../../net/byte-reader.js";
import type { Endpoint } from "../../net/endpoint.js";
import { isPlausibleHost } from "../plausible-host.js";

/*
 * The messages of SOCKS4 and SOCKS4a (no RFC: the memos "SOCKS: A protocol for TCP proxy across firewalls" and
 * "SOCKS 4A: A Simple Extension to SOCKS 4 Protocol", both by Ying-Da Lee); one cell is one byte unless it says otherwise.
 *
 *   request   04  CD  DSTPORT[2]  DSTIP[4]  USERID[…]  00                  SOCKS4
 *   request   04  CD  DSTPORT[2]  00 00 00 X  USERID[…]  00  NAME[…]  00   SOCKS4a, X ≠ 0
 *   reply     00  CD  BNDPORT[2]  BNDIP[4]
 */

/** First byte of every request. */
export const socks4Version = 4;
const connectCommand = 1;

/** Values of CD in a reply. */
export const socks4Replies = { granted: 0x5a, rejected: 0x5b } as const;
export type Socks4Reply = (typeof socks4Replies)[keyof typeof socks4Replies];

/** A request to connect, or why it cannot be one. */
export type Socks4Request =
  | { readonly kind: "connect"; readonly destination: Endpoint }
  | { readonly kind: "refused"; readonly reason: string };

/** How long a user id or a name may be: as in SOCKS5, where its length has one byte. */
const maxTextBytes = 255;

const more = { kind: "more" } as const;
const userIdStart = 8;

/** Reads a request. The user id in it proves nothing and is skipped. */
export function parseSocks4Request(bytes: Buffer): ParseResult<Socks4Request> {
  const [version, command] = bytes;
  if (version === undefined) return more;
  if (version !== socks4Version) return refused(bytes, `SOCKS version ${version}, expected 4`);
  if (command === undefined) return more;
  if (command !== connectCommand) return refused(bytes, `SOCKS4 command ${command} is not supported`);
  const userIdEnd = endOfText(bytes, userIdStart);
  if (userIdEnd === "too long") return refused(bytes, `SOCKS4 user id of more than ${maxTextBytes} bytes`);
  if (userIdEnd === undefined) return more;
  const port = bytes.readUInt16BE(2);
  const address = bytes.subarray(4, userIdStart);
  if (!isPlaceholder(address)) return connect(address.join("."), port, userIdEnd + 1);

  const nameStart = userIdEnd + 1;
  const nameEnd = endOfText(bytes, nameStart);
  if (nameEnd === "too long") return refused(bytes, `SOCKS4a name of more than ${maxTextBytes} bytes`);
  if (nameEnd === undefined) return more;
  const name = bytes.toString("utf8", nameStart, nameEnd);
  if (!isPlausibleHost(name)) return refused(bytes, "SOCKS4a destination is no host name or address");
  return connect(name, port, nameEnd + 1);
}

/** Writes the answer; `boundTo` is our end of the connection to the destination, for which only IPv4 has room. */
export function formatSocks4Reply(reply: Socks4Reply, boundTo: Endpoint = { host: "", port: 0 }): Buffer {
  const address = isIPv4(boundTo.host) ? boundTo.host.split(".").map(Number) : [0, 0, 0, 0];
  return Buffer.of(0, reply, boundTo.port >> 8, boundTo.port & 0xff, ...address);
}

/** 0.0.0.x says that a name follows. */
function isPlaceholder([first, second, third, last]: Buffer): boolean {
  return first === 0 && second === 0 && third === 0 && last !== 0;
}

/** Where the zero behind a text is; `undefined` if it has not arrived. */
function endOfText(bytes: Buffer, start: number): number | "too long" | undefined {
  const end = bytes.indexOf(0, start);
  if ((end < 0 ? bytes.length : end) - start > maxTextBytes) return "too long";
  return end < 0 ? undefined : end;
}

function connect(host: string, port: number, length: number): ParseResult<Socks4Request> {
  return { kind: "done", value: { kind: "connect", destination: { host, port } }, length };
}

function refused(bytes: Buffer, reason: string): ParseResult<Socks4Request> {
  return { kind: "done", value: { kind: "refused", reason }, length: bytes.length };
}

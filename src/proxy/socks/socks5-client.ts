import type { ParseResult } from "../../net/byte-reader.js";
import type { Endpoint } from "../../net/endpoint.js";
import { formatSocksAddress, parseSocksAddress } from "./socks5-address.js";
import { maxSocksCredentialBytes, socks5Replies, socks5Version, type Socks5Login } from "./socks5.js";

/*
 * The same messages as in socks5.ts, for who is the client: written there, read here, and the other way round; one cell is
 * one byte unless it says otherwise.
 *
 *   greeting        05  NMETHODS  METHODS[NMETHODS]
 *   method choice   05  METHOD (FF = none of those)
 *   login           01  ULEN  UNAME[ULEN]  PLEN  PASSWD[PLEN]
 *   login answer    01  STATUS (00 = right)
 *   request         05  CMD  00  ATYP  DST.ADDR  DST.PORT[2]
 *   reply           05  REP (00 = succeeded)  00  ATYP  BND.ADDR  BND.PORT[2]
 *
 *   CMD 01: CONNECT · 03: UDP ASSOCIATE, where DST is what we will send our packets from: zeros, as long as nobody knows
 */

const loginVersion = 1;
const commands = { connect: 1, associate: 3 } as const;

/** What a client can ask for. */
export type Socks5Command = keyof typeof commands;

/** An answer to a request: where the other end is bound, or why there is nothing. */
export type Socks5Outcome =
  | { readonly kind: "succeeded"; readonly boundTo: Endpoint }
  | { readonly kind: "refused"; readonly reply: number };

const more = { kind: "more" } as const;

/** Writes the offer of a single method. */
export function formatGreeting(method: number): Buffer {
  return Buffer.of(socks5Version, 1, method);
}

/**
 * Writes a username and password.
 *
 * @throws RangeError if one of them has more than 255 bytes.
 */
export function formatLogin({ username, password }: Socks5Login): Buffer {
  return Buffer.concat([Buffer.of(loginVersion), formatCredential(username), formatCredential(password)]);
}

/**
 * Writes a request.
 *
 * @throws RangeError if the endpoint has a name of more than 255 bytes.
 */
export function formatRequest(command: Socks5Command, endpoint: Endpoint): Buffer {
  return Buffer.concat([Buffer.of(socks5Version, commands[command], 0), formatSocksAddress(endpoint)]);
}

/** Reads which method a server chose. */
export function parseMethodChoice(bytes: Buffer): ParseResult<number> {
  const [version, method] = bytes;
  if (version === undefined) return more;
  if (version !== socks5Version) return bad(`it answers in SOCKS version ${version}, expected 5`);
  return method === undefined ? more : { kind: "done", value: method, length: 2 };
}

/** Reads whether a login was right. */
export function parseLoginAnswer(bytes: Buffer): ParseResult<boolean> {
  const [version, status] = bytes;
  if (version === undefined) return more;
  if (version !== loginVersion) return bad(`it answers in SOCKS login version ${version}, expected 1`);
  return status === undefined ? more : { kind: "done", value: status === 0, length: 2 };
}

/** Reads the answer to a request. Of one that says no, nothing matters behind its second byte, nor has to come. */
export function parseReply(bytes: Buffer): ParseResult<Socks5Outcome> {
  const [version, reply] = bytes;
  if (version === undefined) return more;
  if (version !== socks5Version) return bad(`it replies in SOCKS version ${version}, expected 5`);
  if (reply === undefined) return more;
  if (reply !== socks5Replies.succeeded) {
    return { kind: "done", value: { kind: "refused", reply }, length: bytes.length };
  }
  const address = parseSocksAddress(bytes);
  switch (address.kind) {
    case "more":
      return more;
    case "unknown type":
      return bad(`it replies with an address of the unknown type ${address.type}`);
    case "no host":
      return bad("it replies with an address that is no host name or address");
    case "done":
      return { kind: "done", value: { kind: "succeeded", boundTo: address.endpoint }, length: address.end };
  }
}

function formatCredential(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > maxSocksCredentialBytes) {
    throw new RangeError(`name or password of ${bytes.length} bytes, at most ${maxSocksCredentialBytes} fit`);
  }
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

function bad(reason: string): ParseResult<never> {
  return { kind: "bad", reason };
}

import assert from "node:assert/strict";
import { isIPv4, type Socket } from "node:net";
import type { Endpoint } from "../../src/net/endpoint.js";
import { readBytes } from "./bytes.js";

/** What a request may have beside its destination. */
export interface Socks4RequestOptions {
  /** Default: empty. */
  readonly userId?: string | Buffer;
  /** Default: 1, CONNECT. */
  readonly command?: number;
}

/** A request: of SOCKS4 where the host is an IPv4 address, of SOCKS4a for any other host. */
export function socks4Request(
  { host, port }: Endpoint,
  { userId = "", command = 1 }: Socks4RequestOptions = {},
): Buffer {
  const isAddress = isIPv4(host);
  return Buffer.concat([
    Buffer.of(
      4,
      command,
      port >> 8,
      port & 0xff,
      ...(isAddress ? host.split(".").map(Number) : [0, 0, 0, 1]),
    ),
    Buffer.from(userId),
    Buffer.of(0),
    ...(isAddress ? [] : [Buffer.from(host), Buffer.of(0)]),
  ]);
}

/** The answer to a request. */
export interface Socks4Answer {
  /** 90 where the connection stands, 91 where there is none. */
  readonly reply: number;
  readonly boundTo: Endpoint;
}

/** Reads the answer to a request, and nothing behind it. */
export async function readSocks4Answer(proxy: Socket): Promise<Socks4Answer> {
  const answer = await readBytes(proxy, 8);
  const [version, reply = -1] = answer;
  assert.equal(version, 0);
  return { reply, boundTo: { host: answer.subarray(4).join("."), port: answer.readUInt16BE(2) } };
}

/** Asks a proxy for a connection; with the answer, from which on the socket carries payload. */
export async function askSocks4(proxy: Socket, destination: Endpoint): Promise<Socks4Answer> {
  proxy.write(socks4Request(destination));
  return readSocks4Answer(proxy);
}

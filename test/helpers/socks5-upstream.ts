import type { Duplex } from "node:stream";
import type { Endpoint } from "../../src/net/endpoint.js";
import { readBytes } from "./bytes.js";
import { socks5Address } from "./socks5-client.js";

/** The answer to a request, as a server writes it. */
export function socks5Reply(reply: number, boundTo: Endpoint = { host: "0.0.0.0", port: 0 }): Buffer {
  return Buffer.concat([Buffer.of(5, reply, 0), socks5Address(boundTo)]);
}

/** What a client says to a SOCKS5 server, in hexadecimal. */
export interface HeardSocks5 {
  readonly greeting: string;
  /** Absent where the server did not want one. */
  readonly login?: string;
  readonly request: string;
}

/** Plays a SOCKS5 server up to a client's request, which is still to be answered. */
export async function hearSocks5(
  client: Duplex,
  { method = 0, loginStatus = 0 }: { readonly method?: number; readonly loginStatus?: number } = {},
): Promise<HeardSocks5> {
  const greetingStart = await readBytes(client, 2);
  const greeting = Buffer.concat([greetingStart, await readBytes(client, greetingStart[1] ?? 0)]);
  client.write(Buffer.of(5, method));
  if (method !== 2) return { greeting: hex(greeting), request: hex(await readRequest(client)) };
  const login = await readLogin(client);
  client.write(Buffer.of(1, loginStatus));
  return { greeting: hex(greeting), login: hex(login), request: hex(await readRequest(client)) };
}

/** Plays a SOCKS5 server that does what it is asked for, or what it replies. */
export async function serveSocks5(
  client: Duplex,
  { method = 0, reply = socks5Reply(0) }: { readonly method?: number; readonly reply?: Buffer } = {},
): Promise<HeardSocks5> {
  const heard = await hearSocks5(client, { method });
  client.write(reply);
  return heard;
}

async function readLogin(client: Duplex): Promise<Buffer> {
  const start = await readBytes(client, 2);
  const name = await readBytes(client, (start[1] ?? 0) + 1);
  return Buffer.concat([start, name, await readBytes(client, name.at(-1) ?? 0)]);
}

async function readRequest(client: Duplex): Promise<Buffer> {
  const start = await readBytes(client, 5);
  const addressBytes = { 1: 4, 4: 16, 3: 1 + (start[4] ?? 0) }[start[3] ?? 0] ?? 1;
  return Buffer.concat([start, await readBytes(client, addressBytes + 2 - 1)]);
}

function hex(bytes: Buffer): string {
  return bytes.toString("hex");
}

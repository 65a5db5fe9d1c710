import assert from "node:assert/strict";
import { isIP, type Socket } from "node:net";
import ipaddr from "ipaddr.js";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { User } from "../../src/proxy/users.js";
import { readBytes } from "./bytes.js";

/** A greeting that offers these methods. */
export function socks5Greeting(...methods: readonly number[]): Buffer {
  return Buffer.of(5, methods.length, ...methods);
}

/** A login, in any version of the sub-negotiation; 1 is the one there is. */
export function socks5Login(username: string, password: string, version = 1): Buffer {
  const [name, secret] = [Buffer.from(username), Buffer.from(password)];
  return Buffer.concat([Buffer.of(version, name.length), name, Buffer.of(secret.length), secret]);
}

/** A request; the address is a name where the host is no IP address. */
export function socks5Request(destination: Endpoint, command = 1): Buffer {
  return Buffer.concat([Buffer.of(5, command, 0), socks5Address(destination)]);
}

/** An address with its type and port; a name where the host is no IP address. */
export function socks5Address({ host, port }: Endpoint): Buffer {
  return Buffer.concat([hostBytes(host), Buffer.of(port >> 8, port & 0xff)]);
}

/** The answer to a request. */
export interface Socks5Answer {
  readonly reply: number;
  readonly boundTo: Endpoint;
}

/** Reads the answer to a request, and nothing behind it. */
export async function readSocks5Answer(proxy: Socket): Promise<Socks5Answer> {
  const [version, reply = -1, reserved, type] = await readBytes(proxy, 4);
  assert.deepEqual([version, reserved], [5, 0]);
  const rest = await readBytes(proxy, (type === 4 ? 16 : 4) + 2);
  const host = ipaddr.fromByteArray([...rest.subarray(0, -2)]).toString();
  return { reply, boundTo: { host, port: rest.readUInt16BE(rest.length - 2) } };
}

/**
 * Asks a proxy, message by message, for a connection or (command 3) an association; with the answer, from which on the
 * socket of a connection carries payload.
 */
export async function askSocks5(
  proxy: Socket,
  destination: Endpoint,
  user?: User,
  command = 1,
): Promise<Socks5Answer> {
  const method = user === undefined ? 0 : 2;
  proxy.write(socks5Greeting(method));
  assert.deepEqual([...(await readBytes(proxy, 2))], [5, method]);
  if (user !== undefined) {
    proxy.write(socks5Login(user.username, user.password));
    assert.deepEqual([...(await readBytes(proxy, 2))], [1, 0]);
  }
  proxy.write(socks5Request(destination, command));
  return readSocks5Answer(proxy);
}

function hostBytes(host: string): Buffer {
  if (isIP(host) === 0) return Buffer.concat([Buffer.of(3, Buffer.byteLength(host)), Buffer.from(host)]);
  return Buffer.of(isIP(host) === 4 ? 1 : 4, ...ipaddr.parse(host).toByteArray());
}

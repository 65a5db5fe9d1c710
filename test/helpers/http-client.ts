import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { formatEndpoint, type Endpoint } from "../../src/net/endpoint.js";
import type { User } from "../../src/proxy/users.js";
import { readBytes } from "./bytes.js";

/** A CONNECT request's whole head. */
export function connectHead(target: string, ...headers: readonly string[]): string {
  return [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, ...headers, "", ""].join("\r\n");
}

/** The header that logs a user in. */
export function basicLogin({ username, password }: User): string {
  return `Proxy-Authorization: Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** The head of an HTTP answer. */
export interface HttpAnswer {
  readonly status: number;
  /** As it came, from the status line to the empty line. */
  readonly head: string;
}

/** Reads the head of an answer, and nothing behind it. */
export async function readHttpAnswer(proxy: Readable): Promise<HttpAnswer> {
  let head = "";
  while (!head.endsWith("\r\n\r\n")) head += (await readBytes(proxy, 1)).toString("latin1");
  return { status: Number(head.split(" ", 2)[1]), head };
}

/** Asks a proxy for a connection; with the answer's head, behind which the socket carries payload. */
export async function askHttp(proxy: Socket, destination: Endpoint, user?: User): Promise<HttpAnswer> {
  proxy.write(connectHead(formatEndpoint(destination), ...(user === undefined ? [] : [basicLogin(user)])));
  return readHttpAnswer(proxy);
}

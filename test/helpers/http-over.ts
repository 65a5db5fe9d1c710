import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { readAll } from "./bytes.js";
import { tlsFixture } from "./tls.js";
import { event } from "./timing.js";

export interface HttpOverOptions {
  /** Sent with its length, by POST. Default: none, and GET. */
  readonly body?: Uint8Array;
  /** The target of the request in absolute form, as for a proxy. Default: false. */
  readonly absoluteForm?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that was read to its end. */
export interface HttpOverAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks for a URL over a connection that stands already, with TLS where the URL says so. It is the last request on it. */
export async function askOver(
  socket: Socket,
  url: string,
  { body, absoluteForm = false, headers = {} }: HttpOverOptions = {},
): Promise<HttpOverAnswer> {
  const { protocol, host, pathname } = new URL(url);
  const stream =
    protocol === "https:" && !absoluteForm
      ? connectTls({ socket, ca: tlsFixture.cert, servername: "localhost" })
      : socket;
  const request = httpRequest({
    createConnection: () => stream,
    method: body === undefined ? "GET" : "POST",
    path: absoluteForm ? url : pathname,
    headers: { host, connection: "close", ...headers, ...(body && { "content-length": body.length }) },
  });
  request.end(body);
  const response = (await event(request, "response")) as IncomingMessage;
  return { status: response.statusCode ?? 0, headers: response.headers, body: await readAll(response) };
}

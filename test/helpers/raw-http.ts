import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { TestContext } from "node:test";
import { closeAfter } from "./sockets.js";
import { closed } from "./timing.js";
import { connectSession, openSocket, requestOn, type Port } from "./tls-port.js";

/** One request, as a test wants it on the wire. */
export interface HttpRequest {
  /** Default: POST. */
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent with its length. Default: none. */
  readonly body?: string | Uint8Array;
}

/** Everything that came back. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, unknown>>;
  /** HTTP/2: the answer is a single HEADERS frame that ends the stream. */
  readonly isOneFrame: boolean;
}

/** Sends one request to that port. */
export type SendRequest = (port: Port, request: HttpRequest) => Promise<HttpAnswer>;

/** Sends a request over an HTTP/1.1 connection of its own. */
export const sendHttp1: SendRequest = async (port, { method = "POST", path, headers = {}, body = "" }) =>
  new Promise((resolve, reject) => {
    const allHeaders = { "content-length": Buffer.byteLength(body), ...headers };
    const request = requestOn(port, { method, path, headers: allHeaders });
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
          trailers: response.trailers,
          isOneFrame: false,
        });
      });
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });

/** Sends a request over an HTTP/2 connection of its own. */
export const sendHttp2: SendRequest = async (port, request) => {
  const session = connectSession(port);
  // Its streams fail with it.
  session.on("error", ignore);
  try {
    // The stream fails as well.
    session.on("error", ignore);
    return await sendOnSession(session, request);
  } finally {
    session.destroy();
  }
};

/** Both, for tables. */
export const versions: readonly { readonly version: string; readonly send: SendRequest }[] = [
  { version: "HTTP/1.1", send: sendHttp1 },
  { version: "HTTP/2", send: sendHttp2 },
];

/** Sends a request over an open HTTP/2 connection. */
export async function sendOnSession(session: ClientHttp2Session, request: HttpRequest): Promise<HttpAnswer> {
  const stream = openStream(session, request);
  stream.end(request.body ?? "");
  return readAnswer(stream);
}

/** Opens a stream with the request's headers; its body is left to the caller. */
export function openStream(
  session: ClientHttp2Session,
  { method = "POST", path, headers = {} }: HttpRequest,
): ClientHttp2Stream {
  return session.request({ ":method": method, ":path": path, ...headers }, { endStream: false });
}

/** Reads the answer on a stream to its end; fails if there is none. */
export async function readAnswer(stream: ClientHttp2Stream): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let headers: IncomingHttpHeaders & { ":status"?: number | undefined } = {};
    let trailers: IncomingHttpHeaders = {};
    let isOneFrame = false;
    stream.on("response", (received, flags) => {
      headers = received;
      isOneFrame = (flags & endStreamFlag) !== 0;
    });
    stream.on("trailers", (received: IncomingHttpHeaders) => (trailers = received));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("end", () => {
      const { ":status": status } = headers;
      if (status === undefined) reject(new Error("the stream ended without an answer"));
      else
        resolve({
          status,
          headers,
          body: Buffer.concat(chunks),
          trailers,
          isOneFrame,
        });
    });
  });
}

/** An HTTP/2 connection that is destroyed after the test. */
export function openSession(
  t: TestContext,
  port: Port,
  settings: { initialWindowSize?: number } = {},
): ClientHttp2Session {
  const session = connectSession(port, settings);
  closeAfter(t, session);
  session.on("error", ignore);
  return session;
}

/**
 * Resolves when the server has begun with all that was sent on an HTTP/2 connection before. While it connects a ping is not
 * sent, and the first one overtakes what waits.
 */
export async function allBegun(session: ClientHttp2Session): Promise<void> {
  if (session.connecting) await once(session, "connect");
  for (let ping = 0; ping < 2; ping++) await new Promise((resolve) => session.ping(resolve));
}

/** Resolves when the HTTP/2 connection has ended, however it did. */
export async function sessionClosed(session: ClientHttp2Session): Promise<void> {
  session.on("error", ignore);
  if (!session.destroyed) await new Promise((resolve) => session.once("close", resolve));
}

/** A connection on which a test says what it likes, and reads what comes as text. */
export class RawConnection {
  readonly socket: Socket;
  #text = "";

  constructor(socket: Socket) {
    this.socket = socket;
    // Each piece that is waited for listens until the end.
    socket.setMaxListeners(0);
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => (this.#text += text));
    socket.on("error", ignore);
  }

  /** Everything received so far, one character a byte. */
  get text(): string {
    return this.#text;
  }

  send(...pieces: readonly (string | Uint8Array)[]): void {
    for (const piece of pieces) this.socket.write(piece);
  }

  /** Resolves as soon as the pattern occurs that often in what was received; fails if the connection ends before. */
  async received(pattern: string, times = 1): Promise<string> {
    while (this.#text.split(pattern).length <= times) {
      if (this.socket.closed) throw new Error(`closed before ${times} × ${pattern}: ${this.#text}`);
      await Promise.race([once(this.socket, "data"), closed(this.socket)]);
    }
    return this.#text;
  }

  /** Resolves with everything received when the connection has closed. */
  async closed(): Promise<string> {
    await closed(this.socket);
    return this.#text;
  }
}

/** Opens a {@link RawConnection} and says something; it is destroyed after the test. */
export async function openRaw(
  t: TestContext,
  port: Port,
  ...pieces: readonly (string | Uint8Array)[]
): Promise<RawConnection> {
  const connection = new RawConnection(await openSocket(t, port));
  connection.send(...pieces);
  return connection;
}

/** An HTTP/1.1 request as text, with a Host unless `headers` has one. */
export function http1Text({ method = "POST", path, headers = {}, body = "" }: HttpRequest): string {
  const allHeaders = { host: "localhost", "content-length": String(Buffer.byteLength(body)), ...headers };
  const lines = Object.entries(allHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${Buffer.from(body).toString("latin1")}`;
}

/** What an HTTP/2 client with prior knowledge sends first. */
export const http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** An HTTP/2 frame (RFC 9113 §4.1): length, type, flags, stream, payload. */
export function http2Frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** A header block without compression or table: one literal field after the other (RFC 7541 §6.2.2). */
export function headerBlock(fields: Readonly<Record<string, string>>): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  return Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  );
}

const endStreamFlag = 0x1;

function ignore(): void {
  // The close that follows is what counts.
}

import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, before } from "node:test";
import { sha256 } from "./bytes.js";
import { addressOf } from "./sockets.js";
import { tlsFixture } from "./tls.js";

/**
 * An HTTP server to be reached through the proxy, behind a meter that counts every byte of its connections: the figures
 * that the counters must show, measured at the other end.
 *
 * - `PUT`, `POST`: answers the SHA-256 of the body.
 * - `GET /bytes/N`: answers N bytes, see {@link Origin.body}.
 * - `GET /held/N`: the same, but the second half only after {@link Origin.release}.
 */
export class Origin {
  readonly scheme: "http" | "https";
  readonly #inner: Server;
  readonly #meter = createServer({ allowHalfOpen: true }, (client) => {
    this.#connect(client);
  });
  readonly #sockets = new Set<Socket>();
  readonly #held: (() => void)[] = [];
  #onHeld: (() => void) | undefined;
  #uplinkBytes = 0;
  #downlinkBytes = 0;
  #port = 0;

  constructor(scheme: "http" | "https" = "http") {
    this.scheme = scheme;
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      this.#answer(request, response);
    };
    this.#inner =
      scheme === "http" ? createHttpServer(onRequest) : createHttpsServer({ ...tlsFixture }, onRequest);
    this.#inner.on("connection", (socket: Socket) => {
      this.#adopt(socket);
    });
  }

  /** What `GET /bytes/N` answers: not compressible to nothing, and the same each time. */
  static body(length: number): Buffer {
    const body = Buffer.alloc(length);
    for (let index = 0; index < length; index++) body[index] = (index * 31) ^ (index >> 8);
    return body;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${this.#port}`;
  }

  /** What has passed, in both directions. */
  get moved(): { readonly up: number; readonly down: number } {
    return { up: this.#uplinkBytes, down: this.#downlinkBytes };
  }

  /** Bytes that came from the proxy. */
  get uplinkBytes(): number {
    return this.#uplinkBytes;
  }

  /** Bytes that went to the proxy. */
  get downlinkBytes(): number {
    return this.#downlinkBytes;
  }

  async start(): Promise<this> {
    for (const server of [this.#inner, this.#meter]) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
    this.#port = addressOf(this.#meter).port;
    return this;
  }

  /** Resolves when the next answer is held, the first half of it being under way. */
  async held(): Promise<void> {
    return new Promise((resolve) => {
      this.#onHeld = resolve;
    });
  }

  /** Lets the answers that are held go on to their end. */
  release(): void {
    for (const goOn of this.#held.splice(0)) goOn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const servers = [this.#inner, this.#meter];
    const closes = servers.map(async (server) => once(server, "close"));
    for (const server of servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closes);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const [, kind, digits] = /^\/(bytes|held)\/(\d+)$/.exec(request.url ?? "") ?? [];
    if (kind === undefined) {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => response.end(sha256(Buffer.concat(chunks))));
      return;
    }
    const body = Origin.body(Number(digits));
    response.setHeader("content-length", body.length);
    if (kind === "bytes") {
      response.end(body);
      return;
    }
    response.write(body.subarray(0, body.length / 2));
    this.#held.push(() => response.end(body.subarray(body.length / 2)));
    this.#onHeld?.();
  }

  #connect(client: Socket): void {
    const inner = connect({ port: addressOf(this.#inner).port, host: "127.0.0.1", allowHalfOpen: true });
    this.#adopt(client);
    this.#adopt(inner);
    meter(client, inner, (bytes) => (this.#uplinkBytes += bytes));
    meter(inner, client, (bytes) => (this.#downlinkBytes += bytes));
  }

  #adopt(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#sockets.delete(socket));
  }
}

/** An origin for all tests of the suite whose body calls this; to be called from the tests only. */
export function useOrigin(scheme: "http" | "https" = "http"): () => Origin {
  const origin = new Origin(scheme);
  before(async () => {
    await origin.start();
  });
  after(async () => {
    await origin[Symbol.asyncDispose]();
  });
  return () => origin;
}

/** Passes on and counts, to the last byte: also what comes when the other side takes no more. */
function meter(from: Socket, to: Socket, count: (bytes: number) => void): void {
  from.on("data", (chunk: Buffer) => {
    count(chunk.length);
    if (to.writable && !to.write(chunk)) from.pause();
  });
  from.on("end", () => to.end());
  to.on("drain", () => from.resume());
  to.on("close", () => from.resume());
}

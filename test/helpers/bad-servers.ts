import { createServer as createHttpServer } from "node:http";
import { createSecureServer, createServer as createHttp2Server, type Http2Server } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { TestContext } from "node:test";
import type { ClientErrorCode } from "../../src/client/client-error.js";
import type { Endpoint } from "../../src/net/endpoint.js";
import { serveHttp2 } from "./family-server.js";
import { closeAfter, closedPort, listen } from "./sockets.js";
import { tlsFixture } from "./tls.js";

/** A server that a client of the family can make nothing of. */
export interface BadServer {
  readonly title: string;
  readonly code: ClientErrorCode;
  /** How long a client may wait for its answer, in milliseconds. */
  readonly timeoutMs: number;
  /** What a person is told of it. */
  readonly message: RegExp;
  start(t: TestContext): Promise<Endpoint>;
}

/** For those that never answer: a test waits for this long. */
const shortMs = 700;
/** For the others, whose answer takes no time, but may find a machine that is busy. */
const longMs = 30_000;

const protocolMessage = /^it does not answer as a gRPC server in cleartext does( \(.+\))?$/;

export const badServers: readonly BadServer[] = [
  {
    title: "nobody who listens",
    code: "unreachable",
    timeoutMs: longMs,
    message: /^connection refused$/,
    start: async () => at(await closedPort()),
  },
  {
    title: "a TLS server",
    code: "tls",
    timeoutMs: longMs,
    message: /^it speaks TLS, and was called in cleartext$/,
    start: async (t) => serve(t, createTlsServer(tlsFixture)),
  },
  {
    title: "a gRPC server behind TLS",
    code: "tls",
    timeoutMs: longMs,
    message: /^it speaks TLS, and was called in cleartext$/,
    start: async (t) => serve(t, createSecureServer(tlsFixture)),
  },
  {
    title: "a TLS server that wants a certificate of its clients",
    code: "tls",
    timeoutMs: longMs,
    message: /^it speaks TLS, and was called in cleartext$/,
    start: async (t) =>
      serve(
        t,
        createTlsServer({
          ...tlsFixture,
          requestCert: true,
          rejectUnauthorized: true,
          maxVersion: "TLSv1.2",
        }),
      ),
  },
  {
    title: "a web server",
    code: "protocol",
    timeoutMs: longMs,
    message: protocolMessage,
    start: async (t) =>
      serve(
        t,
        createHttpServer((_, response) => response.end("hello")),
      ),
  },
  {
    title: "an HTTP/2 server without the service",
    code: "unimplemented",
    timeoutMs: longMs,
    message: /^it has no StatsService that knows this call$/,
    start: async (t) => serveHttp2(t, answering(404)),
  },
  {
    title: "an HTTP/2 server that answers everything",
    code: "protocol",
    timeoutMs: longMs,
    message: protocolMessage,
    start: async (t) => serveHttp2(t, answering(200)),
  },
  {
    title: "an HTTP/2 server that lets nobody in",
    code: "refused",
    timeoutMs: longMs,
    message: /^it refuses the call \(HTTP 403\)$/,
    start: async (t) => serveHttp2(t, answering(403)),
  },
  {
    title: "a server that says something else",
    code: "protocol",
    timeoutMs: longMs,
    message: protocolMessage,
    start: async (t) =>
      serve(
        t,
        createServer((socket) => socket.end("SSH-2.0-server\r\n")),
      ),
  },
  {
    title: "a server that hangs up",
    code: "protocol",
    timeoutMs: longMs,
    message: protocolMessage,
    start: async (t) =>
      serve(
        t,
        createServer((socket) => socket.destroy()),
      ),
  },
  {
    title: "a server that resets",
    code: "protocol",
    timeoutMs: longMs,
    message: protocolMessage,
    start: async (t) =>
      serve(
        t,
        createServer((socket) => socket.resetAndDestroy()),
      ),
  },
  {
    title: "an answer that is too large",
    code: "too_large",
    timeoutMs: longMs,
    message: /^its answer is larger than 256 MiB$/,
    start: async (t) => serveHttp2(t, announcing(256 * 1024 * 1024 + 1)),
  },
  {
    title: "a server that never says anything",
    code: "timeout",
    timeoutMs: shortMs,
    message: /^no answer within 0\.7 s$/,
    start: async (t) => serve(t, createServer()),
  },
  {
    title: "a gRPC server that never answers",
    code: "timeout",
    timeoutMs: shortMs,
    message: /^no answer within 0\.7 s$/,
    start: async (t) => serveHttp2(t, createHttp2Server()),
  },
];

function at(port: number): Endpoint {
  return { host: "127.0.0.1", port };
}

/** Listens on a free port; the connections are cut after the test. */
async function serve(t: TestContext, server: Server): Promise<Endpoint> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  const { port } = await listen(t, server);
  closeAfter(t, {
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      return Promise.resolve();
    },
  });
  return at(port);
}

function answering(status: number): Http2Server {
  return createHttp2Server((_, response) => {
    response.writeHead(status);
    response.end("hello");
  });
}

/** Begins an answer of that length. */
function announcing(length: number): Http2Server {
  return createHttp2Server((_, response) => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(length, 1);
    response.writeHead(200, { "content-type": "application/grpc" });
    response.write(head);
  });
}

import { once } from "node:events";
import { request as requestHttp1, type ClientRequest, type RequestOptions } from "node:http";
import { connect as connectHttp2, type ClientHttp2Session, type Settings } from "node:http2";
import { request as requestHttps } from "node:https";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import type { TlsServerOptions } from "../../src/net/tls-server-options.js";
import { closeAfter } from "./sockets.js";
import { tlsFixture } from "./tls.js";

/** A port of 127.0.0.1 on which TLS is spoken. */
export interface TlsPort {
  readonly tlsPort: number;
  /** What the client does otherwise than to trust {@link tlsFixture}. */
  readonly options?: ConnectionOptions;
}

/** A port of 127.0.0.1, in cleartext or not. */
export type Port = number | TlsPort;

/** What a server is given to speak TLS with {@link tlsFixture}. */
export const fixtureTls: TlsServerOptions = {
  certificate: { pem: tlsFixture.cert },
  key: { pem: tlsFixture.key },
};

/** Begins a request on an HTTP/1.1 connection of its own. */
export function requestOn(port: Port, options: RequestOptions): ClientRequest {
  const common = { host: "127.0.0.1", agent: false as const, ...options };
  if (typeof port === "number") return requestHttp1({ ...common, port });
  return requestHttps({ ...common, port: port.tlsPort, ...trustOf(port) });
}

/** Opens an HTTP/2 connection. */
export function connectSession(port: Port, settings: Settings = {}): ClientHttp2Session {
  if (typeof port === "number") return connectHttp2(`http://127.0.0.1:${port}`, { settings });
  return connectHttp2(`https://127.0.0.1:${port.tlsPort}`, { settings, ...trustOf(port) });
}

/** A connection that stands, and can be reset whatever is spoken on it; it is destroyed after the test. */
export async function openSocket(t: TestContext, port: Port): Promise<Socket> {
  const isTls = typeof port !== "number";
  const socket = connect({ port: isTls ? port.tlsPort : port, host: "127.0.0.1", noDelay: true });
  closeAfter(t, socket);
  if (!isTls) {
    await once(socket, "connect");
    return socket;
  }
  const secured = connectTls({ socket, host: "127.0.0.1", ...trustOf(port) });
  socket.on("error", ignore);
  closeAfter(t, secured);
  secured.resetAndDestroy = () => {
    socket.resetAndDestroy();
    return secured;
  };
  await once(secured, "secureConnect");
  return secured;
}

function trustOf({ options }: TlsPort): ConnectionOptions {
  return { ca: tlsFixture.cert, ...options };
}

function ignore(): void {
  // The secured connection says the same.
}

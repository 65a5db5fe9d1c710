import { connect, createServer as createTcpServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { createServer, type TlsOptions } from "node:tls";
import type { Endpoint } from "../../src/net/endpoint.js";
import { closeAfter, listen } from "./sockets.js";
import { tlsFixture } from "./tls.js";

/** Speaks TLS with clients, as a proxy in front of a server that does not, and passes ends and resets on as what they are. */
export interface TlsFront {
  readonly endpoint: Endpoint;
  /** What clients called it, in order; `false` where they did not (SNI). */
  readonly names: readonly (string | false)[];
}

/**
 * Starts it on 127.0.0.1; it is closed after the test with all its connections.
 *
 * @param options - Beside or instead of the key and certificate of {@link tlsFixture}.
 */
export async function startTlsFront(
  t: TestContext,
  target: Endpoint,
  options: TlsOptions = {},
): Promise<TlsFront> {
  const names: (string | false)[] = [];
  const server = createServer({ ...tlsFixture, ...options, allowHalfOpen: true });
  server.on("tlsClientError", ignore);
  server.on("secureConnection", (secured) => {
    const carrier = carriers.get(secured.remotePort ?? 0);
    names.push(secured.servername ?? false);
    const inner = connect({ host: target.host, port: target.port, allowHalfOpen: true, noDelay: true });
    closeAfter(t, secured, inner);
    join(secured, inner, () => inner.resetAndDestroy());
    join(inner, secured, () => carrier?.resetAndDestroy());
  });
  // TLS has no resets: they need the connection under it.
  const carriers = new Map<number, Socket>();
  const tcp = createTcpServer({ allowHalfOpen: true, noDelay: true }, (carrier) => {
    carrier.on("error", ignore);
    closeAfter(t, carrier);
    carriers.set(carrier.remotePort ?? 0, carrier);
    server.emit("connection", carrier);
  });
  const { port } = await listen(t, tcp);
  return { endpoint: { host: "127.0.0.1", port }, names };
}

/** Passes on what one socket has to say to another one. */
function join(from: Socket, to: Socket, reset: () => unknown): void {
  from.pipe(to);
  from.on("error", reset);
  from.on("close", () => {
    if (!from.readableEnded || !from.writableFinished) reset();
  });
}

function ignore(): void {
  // The close that follows is what counts.
}

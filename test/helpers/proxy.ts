import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { User } from "../../src/proxy/users.js";
import { askHttp } from "./http-client.js";
import { closeAfter } from "./sockets.js";
import { askSocks5 } from "./socks5-client.js";

/** The protocols of a mixed inbound. */
export const proxyProtocols = ["socks5", "http"] as const;
export type ProxyProtocol = (typeof proxyProtocols)[number];

/** Connects to a listener; half-open capable, destroyed after the test. */
export async function connectTo(t: TestContext, { host, port }: Endpoint): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true });
  socket.on("error", ignore);
  closeAfter(t, socket);
  await once(socket, "connect");
  return socket;
}

/** Whom to ask for what. */
export interface TunnelOptions {
  readonly protocol: ProxyProtocol;
  readonly proxy: Endpoint;
  readonly destination: Endpoint;
  readonly user?: User | undefined;
}

/** Asks for a connection; with the answer, a SOCKS5 reply or an HTTP status. */
export async function askProxy(
  t: TestContext,
  { protocol, proxy, destination, user }: TunnelOptions,
): Promise<{ readonly client: Socket; readonly answer: number }> {
  const client = await connectTo(t, proxy);
  if (protocol === "http") return { client, answer: (await askHttp(client, destination, user)).status };
  return { client, answer: (await askSocks5(client, destination, user)).reply };
}

/** A connection through the proxy that stands: what is written to it reaches the destination. */
export async function openTunnel(t: TestContext, options: TunnelOptions): Promise<Socket> {
  const { client, answer } = await askProxy(t, options);
  assert.equal(answer, options.protocol === "http" ? 200 : 0);
  return client;
}

function ignore(): void {
  // The close that follows is what counts.
}

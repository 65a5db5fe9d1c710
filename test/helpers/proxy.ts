import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { User } from "../../src/proxy/users.js";
import { askHttp } from "./http-client.js";
import { closeAfter } from "./sockets.js";
import { askSocks4 } from "./socks4-client.js";
import { askSocks5 } from "./socks5-client.js";

/** The protocols of a mixed inbound in which a user can log in. */
export const proxyProtocols = ["socks5", "http"] as const;
export type ProxyProtocol = (typeof proxyProtocols)[number];

/** All protocols of a mixed inbound in which a client gets a connection. */
export const tunnelProtocols = ["socks4", ...proxyProtocols] as const;
export type TunnelProtocol = (typeof tunnelProtocols)[number];

/** The answers that mean that the connection stands. */
export const granted: Readonly<Record<TunnelProtocol, number>> = { socks4: 0x5a, socks5: 0, http: 200 };

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
  readonly protocol: TunnelProtocol;
  readonly proxy: Endpoint;
  readonly destination: Endpoint;
  /** Default: none. SOCKS4 carries none anyway. */
  readonly user?: User | undefined;
}

/** Asks for a connection; with the answer, a SOCKS reply or an HTTP status. */
export async function askProxy(
  t: TestContext,
  { protocol, proxy, destination, user }: TunnelOptions,
): Promise<{ readonly client: Socket; readonly answer: number }> {
  const client = await connectTo(t, proxy);
  return { client, answer: await askOn(client, { protocol, destination, user }) };
}

/** Asks for a connection on a socket that stands to the proxy; with the answer, a SOCKS reply or an HTTP status. */
export async function askOn(
  client: Socket,
  { protocol, destination, user }: Omit<TunnelOptions, "proxy">,
): Promise<number> {
  if (protocol === "socks4") return (await askSocks4(client, destination)).reply;
  if (protocol === "http") return (await askHttp(client, destination, user)).status;
  return (await askSocks5(client, destination, user)).reply;
}

/** A connection through the proxy that stands: what is written to it reaches the destination. */
export async function openTunnel(t: TestContext, options: TunnelOptions): Promise<Socket> {
  const { client, answer } = await askProxy(t, options);
  assert.equal(answer, granted[options.protocol]);
  return client;
}

function ignore(): void {
  // The close that follows is what counts.
}

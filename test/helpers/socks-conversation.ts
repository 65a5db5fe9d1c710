import type { Socket } from "node:net";
import type { TestContext } from "node:test";
import { LoginBrake } from "../../src/net/login-brake.js";
import type { ProxyRequest } from "../../src/proxy/inbound.js";
import type { SocksHandshakeOptions } from "../../src/proxy/socks/socks-handshake.js";
import { Users, type User } from "../../src/proxy/users.js";
import { socketPair } from "./sockets.js";

/** A client at one end of a connection, and the handshake under test at the other. */
export interface SocksConversation<Request = ProxyRequest> {
  readonly client: Socket;
  readonly server: Socket;
  readonly accepted: Promise<Request>;
}

export interface SocksConversationOptions {
  readonly users?: readonly User[];
  readonly timeoutMs?: number;
}

/** Begins a handshake with a client that has said nothing yet. */
export async function converseWith<Request>(
  accept: (client: Socket, options: SocksHandshakeOptions) => Promise<Request>,
  t: TestContext,
  { users = [], timeoutMs = 9_000 }: SocksConversationOptions = {},
): Promise<SocksConversation<Request>> {
  const { client, server } = await socketPair(t);
  const logins = new LoginBrake();
  const accepted = accept(server, { inbound: "in", users: new Users(users), logins, timeoutMs });
  accepted.catch(ignore);
  return { client, server, accepted };
}

/** What a handshake found out, without the ways to answer. */
export function factsOf({ inbound, user, destination }: ProxyRequest): unknown {
  return { inbound, user, destination };
}

function ignore(): void {
  // Whoever awaits the promise sees it.
}

import type { Socket } from "node:net";
import type { TestContext } from "node:test";
import { formatEndpoint } from "../../src/net/endpoint.js";
import type { User } from "../../src/proxy/users.js";
import { basicLogin, readHttpAnswer } from "./http-client.js";
import { requestHead } from "./http-messages.js";
import { askProxy, connectTo, type TunnelOptions, type TunnelProtocol } from "./proxy.js";

/** Everything in which a client can ask a mixed inbound for something. */
export type ProxyWay = TunnelProtocol | "plain";

/** For titles of tests. */
export const wayTitles: Readonly<Record<ProxyWay, string>> = {
  socks4: "SOCKS4",
  socks5: "SOCKS5",
  http: "CONNECT",
  plain: "plain HTTP",
};

/** Who can ask in that way where somebody must be counted: nobody in SOCKS4, which has no logins. */
export function userOf(way: ProxyWay): User | undefined {
  return way === "socks4" ? undefined : { username: "alice", password: "wonderland" };
}

/** The users of an inbound that is to be used in that way only. */
export function usersOf(way: ProxyWay): readonly User[] {
  const user = userOf(way);
  return user === undefined ? [] : [user];
}

export interface AskOptions extends Omit<TunnelOptions, "protocol" | "user"> {
  readonly way: ProxyWay;
}

/** Asks for a connection, or for the page `/` in plain HTTP; with the answer, a SOCKS reply or an HTTP status. */
export async function askInWay(
  t: TestContext,
  { way, ...options }: AskOptions,
): Promise<{ readonly client: Socket; readonly answer: number }> {
  if (way !== "plain") return askProxy(t, { ...options, protocol: way, user: userOf(way) });
  const client = await connectTo(t, options.proxy);
  client.write(plainRequest("GET", options));
  return { client, answer: (await readHttpAnswer(client)).status };
}

/** The head of a plain request of the user of that way. */
export function plainRequest(
  method: string,
  { destination }: Pick<AskOptions, "destination">,
  ...headers: readonly string[]
): string {
  const user = userOf("plain");
  const login = user === undefined ? [] : [basicLogin(user)];
  return requestHead(method, `http://${formatEndpoint(destination)}/`, ...login, ...headers);
}

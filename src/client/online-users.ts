import { Code, ConnectError } from "@connectrpc/connect";
import { joinOnlineName, parseOnlineName } from "../stats/online-name.js";
import type { Calls, StatsClient } from "./stats-client.js";

/** An address from which a user is connected. */
export interface OnlineAddress {
  readonly address: string;
  /** When there was last a connection from it, in Unix seconds. */
  readonly lastSeen: bigint;
}

/** A user who is connected. */
export interface OnlineUser {
  readonly user: string;
  readonly addresses: readonly OnlineAddress[];
}

/** The name under which a server keeps who is online. Whether there can be such a user is the server's to say. */
export function onlineName(user: string): string {
  return joinOnlineName(user);
}

/**
 * Reads from where a user is connected.
 *
 * @throws ClientError `not_found` for a user who was never seen.
 */
export async function readOnlineAddresses(
  client: StatsClient,
  user: string,
): Promise<readonly OnlineAddress[]> {
  return client.call(async (calls) => addressesOf(calls, onlineName(user)));
}

/**
 * Reads from how many addresses a user is connected.
 *
 * @throws ClientError `not_found` for a user who was never seen.
 */
export async function countOnlineAddresses(client: StatsClient, user: string): Promise<bigint> {
  return client.call(async ({ service, options }) => {
    const { stat } = await service.getStatsOnline({ name: onlineName(user) }, options());
    return stat?.value ?? 0n;
  });
}

/**
 * Reads who is connected, under the names that {@link onlineName} writes.
 *
 * @throws ClientError
 */
export async function readOnlineNames(client: StatsClient): Promise<readonly string[]> {
  return client.call(async ({ service, options }) => (await service.getAllOnlineUsers({}, options())).users);
}

/**
 * Reads who is connected, and from where: in one call, or where the server does not have that one yet, in one for each user.
 *
 * @throws ClientError
 */
export async function readOnlineUsers(client: StatsClient): Promise<readonly OnlineUser[]> {
  return client.call(async (calls) => {
    try {
      const { users } = await calls.service.getUsersStats({}, calls.options());
      return users.map(({ email, ips }) => ({
        user: email,
        addresses: ips.map(({ ip, lastSeen }) => ({ address: ip, lastSeen })),
      }));
    } catch (error) {
      if (ConnectError.from(error).code !== Code.Unimplemented) throw error;
      return readOneByOne(calls);
    }
  });
}

async function readOneByOne(calls: Calls): Promise<readonly OnlineUser[]> {
  const { users: names } = await calls.service.getAllOnlineUsers({}, calls.options());
  const users: OnlineUser[] = [];
  for (const name of names) {
    const user = parseOnlineName(name) ?? name;
    try {
      users.push({ user, addresses: await addressesOf(calls, name) });
    } catch (error) {
      // Gone meanwhile.
      if (ConnectError.from(error).code !== Code.NotFound) throw error;
    }
  }
  return users;
}

async function addressesOf({ service, options }: Calls, name: string): Promise<readonly OnlineAddress[]> {
  const { ips } = await service.getStatsOnlineIpList({ name }, options());
  return Object.entries(ips)
    .map(([address, lastSeen]) => ({ address, lastSeen }))
    .sort((a, b) => (a.address < b.address ? -1 : 1));
}

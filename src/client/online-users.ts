import { joinOnlineName, parseOnlineName } from "../stats/online-name.js";
import { ClientError, type ClientErrorCode } from "./client-error.js";
import type { Calls, StatsClient } from "./stats-client.js";

/** How many users are asked for at the same time, of a server that has no call for all. */
const maxCallsAtOnce = 16;

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
 * Reads who is connected, and from where: in one call, or where the server does not have that one yet, in one for each user. Each
 * of these has the time of a call.
 *
 * @throws ClientError
 */
export async function readOnlineUsers(client: StatsClient): Promise<readonly OnlineUser[]> {
  try {
    return await readUsersAtOnce(client);
  } catch (error) {
    if (codeOf(error) !== "unimplemented") throw error;
    return readUsersOneByOne(client);
  }
}

async function readUsersAtOnce(client: StatsClient): Promise<readonly OnlineUser[]> {
  return client.call(async ({ service, options }) => {
    const { users } = await service.getUsersStats({}, options());
    return users.map(({ email, ips }) => ({
      user: email,
      addresses: ips.map(({ ip, lastSeen }) => ({ address: ip, lastSeen })),
    }));
  });
}

async function readUsersOneByOne(client: StatsClient): Promise<readonly OnlineUser[]> {
  const waiting = [...(await readOnlineNames(client)).entries()];
  const users: (OnlineUser | undefined)[] = [];
  const readOn = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, name] = next;
      try {
        users[index] = await readUser(client, name);
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
    }
  };
  const readers = Array.from({ length: maxCallsAtOnce }, readOn);
  // Whoever hears of a failure closes the connection: the calls that are under way end before.
  await Promise.allSettled(readers);
  await Promise.all(readers);
  return users.filter((user) => user !== undefined);
}

/** @returns `undefined` if the user is gone meanwhile. */
async function readUser(client: StatsClient, name: string): Promise<OnlineUser | undefined> {
  try {
    const addresses = await client.call(async (calls) => addressesOf(calls, name));
    return { user: parseOnlineName(name) ?? name, addresses };
  } catch (error) {
    if (codeOf(error) === "not_found") return undefined;
    throw error;
  }
}

function codeOf(error: unknown): ClientErrorCode | undefined {
  return error instanceof ClientError ? error.code : undefined;
}

async function addressesOf({ service, options }: Calls, name: string): Promise<readonly OnlineAddress[]> {
  const { ips } = await service.getStatsOnlineIpList({ name }, options());
  return Object.entries(ips)
    .map(([address, lastSeen]) => ({ address, lastSeen }))
    .sort((a, b) => (a.address < b.address ? -1 : 1));
}

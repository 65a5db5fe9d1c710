import { Code, ConnectError } from "@connectrpc/connect";
import type { CounterStore } from "../stats/counter-store.js";
import { formatOnlineName, parseOnlineName } from "../stats/online-name.js";
import { formatStatName, type StatDirection } from "../stats/stat-name.js";
import type { OnlineUsers } from "../track/online-users.js";
import type { CallContext } from "./call-context.js";
import { assertMayReset } from "./caller.js";
import { resetFor } from "./reset-for.js";

export interface OnlineCallsOptions {
  readonly online: OnlineUsers;
  /** The users' counters, for those who ask for their traffic, too. */
  readonly store: CounterStore;
}

interface OnlineRequest {
  readonly name: string;
}

interface UsersRequest {
  readonly includeTraffic: boolean;
  readonly reset: boolean;
}

interface OnlineIp {
  readonly ip: string;
  readonly lastSeen: bigint;
}

interface UserStat {
  readonly email: string;
  readonly ips: OnlineIp[];
  readonly traffic?: { readonly uplink: bigint; readonly downlink: bigint };
}

/**
 * The calls with which Xray's StatsService tells who is online: who has a connection that is open now. A connection that is
 * open was last seen now; an address without one is not listed.
 */
export interface OnlineCalls {
  /**
   * Counts the addresses from which a user is connected.
   *
   * @throws ConnectError NOT_FOUND, `NAME not found.`, for a user who was never seen.
   */
  getStatsOnline(request: OnlineRequest): { stat: { name: string; value: bigint } };
  /**
   * Lists these addresses.
   *
   * @throws ConnectError as above.
   */
  getStatsOnlineIpList(request: OnlineRequest): { name: string; ips: Record<string, bigint> };
  /** Lists the users who are online, by names as the two calls above take them. */
  getAllOnlineUsers(): { users: string[] };
  /**
   * Lists the users who are online, by their bare names, and reads and resets their counters if asked to.
   *
   * @throws ConnectError PERMISSION_DENIED for a reset by who may not; then nothing is reset.
   */
  getUsersStats(request: UsersRequest, context: CallContext): { users: UserStat[] };
}

/** Implements Xray's calls over those who are online. As with the other calls, each is one synchronous step. */
export function createOnlineCalls({ online, store }: OnlineCallsOptions): OnlineCalls {
  function addressesOf(name: string): readonly string[] {
    const user = parseOnlineName(name);
    const addresses = user === undefined ? undefined : online.addressesOf(user);
    if (addresses === undefined) throw new ConnectError(`${name} not found.`, Code.NotFound);
    return addresses;
  }

  return {
    getStatsOnline: ({ name }) => ({ stat: { name, value: BigInt(addressesOf(name).length) } }),

    getStatsOnlineIpList({ name }) {
      const lastSeen = nowInSeconds();
      return { name, ips: Object.fromEntries(addressesOf(name).map((address) => [address, lastSeen])) };
    },

    getAllOnlineUsers: () => ({ users: online.users().map(formatOnlineName) }),

    getUsersStats({ includeTraffic, reset }, context) {
      context.signal.throwIfAborted();
      if (reset) assertMayReset(context);
      const lastSeen = nowInSeconds();
      const read = (tag: string, direction: StatDirection): bigint => {
        const counter = store.get(formatStatName({ scope: "user", tag, direction }));
        if (counter === undefined) return 0n;
        return reset ? resetFor(context, counter) : counter.value;
      };
      return {
        users: online.users().map((email) => ({
          email,
          ips: (online.addressesOf(email) ?? []).map((ip) => ({ ip, lastSeen })),
          ...(includeTraffic && {
            traffic: { uplink: read(email, "uplink"), downlink: read(email, "downlink") },
          }),
        })),
      };
    },
  };
}

function nowInSeconds(): bigint {
  return BigInt(Math.floor(Date.now() / 1_000));
}

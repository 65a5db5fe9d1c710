import type { Stat } from "../client/merge-stats.js";
import type { OnlineAddress } from "../client/online-users.js";
import type { SysStats } from "../client/sys-stats.js";
import { formatGoJson, withoutZeros } from "./go-json.js";

/** One counter, as `xray api stats` prints it. */
export function formatXrayStat(stat: Stat): string {
  return formatGoJson({ stat: toStat(stat) });
}

/** Counters, as `xray api statsquery` prints them: in the order of the answer. */
export function formatXrayStats(stats: readonly Stat[]): string {
  return formatGoJson(withoutZeros({ stat: stats.map(toStat) }));
}

/** Figures of the process, as `xray api statssys` prints them. */
export function formatXraySys(sys: SysStats): string {
  const { NumGoroutine, NumGC, Alloc, TotalAlloc, Sys, Mallocs, Frees, LiveObjects, PauseTotalNs, Uptime } =
    sys;
  const figures = { NumGoroutine, NumGC, Alloc, TotalAlloc, Sys, Mallocs, Frees, LiveObjects, PauseTotalNs };
  return formatGoJson(withoutZeros({ ...figures, Uptime }));
}

/** Addresses, as `xray api statsonlineiplist` prints them. */
export function formatXrayAddresses(name: string, addresses: readonly OnlineAddress[]): string {
  const ips = Object.fromEntries(addresses.map(({ address, lastSeen }) => [address, lastSeen]));
  return formatGoJson(withoutZeros({ name, ips }));
}

/** The names of users, as `xray api statsgetallonlineusers` prints them. */
export function formatXrayUsers(users: readonly string[]): string {
  return formatGoJson(withoutZeros({ users }));
}

function toStat({ name, value }: Stat) {
  return withoutZeros({ name, value });
}

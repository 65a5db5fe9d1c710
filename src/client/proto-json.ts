import { create, toJson, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import {
  GetStatsOnlineIpListResponseSchema,
  GetStatsResponseSchema,
  GetUsersStatsResponseSchema,
  QueryStatsResponseSchema,
  SysStatsResponseSchema,
} from "#gen/v2ray/core/app/stats/command/command_pb.js";
import type { Stat } from "./merge-stats.js";
import type { OnlineAddress, OnlineUser } from "./online-users.js";
import type { SysStats } from "./sys-stats.js";

/** Counters, as the answer of QueryStats. */
export function toStatsJson(stats: readonly Stat[]): string {
  return format(QueryStatsResponseSchema, { stat: [...stats] });
}

/** One counter, as the answer of GetStats. */
export function toStatJson(stat: Stat): string {
  return format(GetStatsResponseSchema, { stat });
}

/** Figures of the process, as the answer of GetSysStats. */
export function toSysJson(sys: SysStats): string {
  return format(SysStatsResponseSchema, sys);
}

/** Who is connected, as the answer of GetUsersStats. */
export function toUsersJson(users: readonly OnlineUser[]): string {
  return format(GetUsersStatsResponseSchema, {
    users: users.map(({ user, addresses }) => ({
      email: user,
      ips: addresses.map(({ address, lastSeen }) => ({ ip: address, lastSeen })),
    })),
  });
}

/** From where a user is connected, as the answer of GetStatsOnlineIpList. */
export function toAddressesJson(name: string, addresses: readonly OnlineAddress[]): string {
  const ips = Object.fromEntries(addresses.map(({ address, lastSeen }) => [address, lastSeen]));
  return format(GetStatsOnlineIpListResponseSchema, { name, ips });
}

/** Writes a message in proto3's JSON, on one line. */
function format<T extends DescMessage>(schema: T, message: MessageInitShape<T>): string {
  return JSON.stringify(toJson(schema, create(schema, message)));
}

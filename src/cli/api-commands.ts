import { apiOnlineOptions, apiReadOptions, apiStatsOptions, apiStatsQueryOptions } from "./api-options.js";
import type { Command } from "./command.js";

const dashes = "-";

/** What `v2ray api` and `xray api` know of counters. */
export const apiCommands: readonly Command[] = [
  {
    name: "stats",
    synopsis: "[PATTERN]...",
    summary: "print counters as V2Ray does, or with -name one as Xray does",
    options: apiStatsOptions,
    dashes,
    load: async () => (await import("./api-stats.js")).apiStats,
  },
  {
    name: "statsquery",
    synopsis: "",
    summary: "print counters as Xray does",
    options: apiStatsQueryOptions,
    dashes,
    load: async () => (await import("./api-xray.js")).apiStatsQuery,
  },
  {
    name: "statssys",
    synopsis: "",
    summary: "print figures of the serving process",
    options: apiReadOptions,
    dashes,
    load: async () => (await import("./api-xray.js")).apiStatsSys,
  },
  {
    name: "statsonline",
    synopsis: "",
    summary: "print from how many addresses a user is connected",
    options: apiOnlineOptions,
    dashes,
    load: async () => (await import("./api-xray.js")).apiStatsOnline,
  },
  {
    name: "statsonlineiplist",
    synopsis: "",
    summary: "print from which addresses a user is connected",
    options: apiOnlineOptions,
    dashes,
    load: async () => (await import("./api-xray.js")).apiStatsOnlineIpList,
  },
  {
    name: "statsgetallonlineusers",
    synopsis: "",
    summary: "print who is connected",
    options: apiReadOptions,
    dashes,
    load: async () => (await import("./api-xray.js")).apiStatsGetAllOnlineUsers,
  },
];

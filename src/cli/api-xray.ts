import { parseArgs } from "node:util";
import {
  countOnlineAddresses,
  onlineName,
  readOnlineAddresses,
  readOnlineNames,
} from "../client/online-users.js";
import { queryStats } from "../client/query-stats.js";
import type { StatsClient } from "../client/stats-client.js";
import { readSysStats } from "../client/sys-stats.js";
import { apiOnlineOptions, apiReadOptions, apiStatsQueryOptions } from "./api-options.js";
import type { CommandRunner } from "./command.js";
import { printAnswer } from "./print-answer.js";
import {
  formatXrayAddresses,
  formatXrayStat,
  formatXrayStats,
  formatXraySys,
  formatXrayUsers,
} from "./xray-json.js";

// Xray reads no arguments but options, and minds none.
const allowPositionals = true;

/** `v2ray-api api statsquery`: prints counters. */
export const apiStatsQuery: CommandRunner = async (args, process) => {
  const options = apiStatsQueryOptions;
  const { values } = parseArgs({ args: [...args], options, allowPositionals });
  const { pattern, reset = false } = values;
  return printAnswer(values, process, async (client) => {
    const { stats } = await queryStats(client, { patterns: [pattern], reset });
    return { text: formatXrayStats(stats), isReset: reset };
  });
};

/** `v2ray-api api statssys`: prints figures of the serving process. */
export const apiStatsSys = reading(async (client) => formatXraySys(await readSysStats(client)));

/** `v2ray-api api statsgetallonlineusers`: prints who is connected. */
export const apiStatsGetAllOnlineUsers = reading(async (client) =>
  formatXrayUsers(await readOnlineNames(client)),
);

/** `v2ray-api api statsonline`: prints from how many addresses a user is connected. */
export const apiStatsOnline = readingUser(async (client, user) =>
  formatXrayStat({ name: onlineName(user), value: await countOnlineAddresses(client, user) }),
);

/** `v2ray-api api statsonlineiplist`: prints from which addresses a user is connected. */
export const apiStatsOnlineIpList = readingUser(async (client, user) =>
  formatXrayAddresses(onlineName(user), await readOnlineAddresses(client, user)),
);

/** A command that has no options but where to read. */
function reading(read: (client: StatsClient) => Promise<string>): CommandRunner {
  return async (args, process) => {
    const options = apiReadOptions;
    const { values } = parseArgs({ args: [...args], options, allowPositionals });
    return printAnswer(values, process, async (client) => ({ text: await read(client) }));
  };
}

/** A command that reads something of one user. */
function readingUser(read: (client: StatsClient, user: string) => Promise<string>): CommandRunner {
  return async (args, process) => {
    const options = apiOnlineOptions;
    const { values } = parseArgs({ args: [...args], options, allowPositionals });
    return printAnswer(values, process, async (client) => ({ text: await read(client, values.email) }));
  };
}

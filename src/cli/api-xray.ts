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
import type { ClientValues } from "./client-options.js";
import type { CommandRunner } from "./command.js";
import { printAnswer, type Answer } from "./print-answer.js";
import { toJsonFor } from "./printable.js";
import {
  formatXrayAddresses,
  formatXrayStat,
  formatXrayStats,
  formatXraySys,
  formatXrayUsers,
} from "./xray-json.js";

/** `v2ray-api api statsquery`: prints counters. */
export const apiStatsQuery = printing(
  (args) => parseArgs({ args, options: apiStatsQueryOptions, allowPositionals: true }).values,
  async (client, { pattern, reset = false }) => {
    const { stats } = await queryStats(client, { patterns: [pattern], reset });
    return { text: formatXrayStats(stats), isReset: reset };
  },
);

/** `v2ray-api api statssys`: prints figures of the serving process. */
export const apiStatsSys = printing(parseReadArgs, async (client) => ({
  text: formatXraySys(await readSysStats(client)),
}));

/** `v2ray-api api statsgetallonlineusers`: prints who is connected. */
export const apiStatsGetAllOnlineUsers = printing(parseReadArgs, async (client) => ({
  text: formatXrayUsers(await readOnlineNames(client)),
}));

/** `v2ray-api api statsonline`: prints from how many addresses a user is connected. */
export const apiStatsOnline = printing(parseUserArgs, async (client, { email }) => ({
  text: formatXrayStat({ name: onlineName(email), value: await countOnlineAddresses(client, email) }),
}));

/** `v2ray-api api statsonlineiplist`: prints from which addresses a user is connected. */
export const apiStatsOnlineIpList = printing(parseUserArgs, async (client, { email }) => ({
  text: formatXrayAddresses(onlineName(email), await readOnlineAddresses(client, email)),
}));

// Xray reads no arguments but options, and minds none: hence the positionals.

function parseReadArgs(args: string[]) {
  return parseArgs({ args, options: apiReadOptions, allowPositionals: true }).values;
}

function parseUserArgs(args: string[]) {
  return parseArgs({ args, options: apiOnlineOptions, allowPositionals: true }).values;
}

/** A command that prints what it reads. */
function printing<Values extends ClientValues>(
  parse: (args: string[]) => Values,
  read: (client: StatsClient, values: Values) => Promise<Answer>,
): CommandRunner {
  return async (args, process) => {
    const values = parse([...args]);
    return printAnswer(values, process, async (client) => {
      const answer = await read(client, values);
      return { ...answer, text: toJsonFor(process.stdout, answer.text) };
    });
  };
}

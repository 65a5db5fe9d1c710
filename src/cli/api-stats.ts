import { parseArgs } from "node:util";
import { getStats } from "../client/get-stats.js";
import { toStatsJson, toSysJson } from "../client/proto-json.js";
import type { StatsClient } from "../client/stats-client.js";
import { readSysStats } from "../client/sys-stats.js";
import { apiStatsOptions } from "./api-options.js";
import type { CommandRunner } from "./command.js";
import { printAnswer } from "./print-answer.js";
import { toJsonFor, toPrintableLine } from "./printable.js";
import { readCounters } from "./read-counters.js";
import { formatStatsTable } from "./stats-table.js";
import { formatSysTable } from "./sys-table.js";
import { formatXrayStat } from "./xray-json.js";

/** `v2ray-api api stats`: what both programs have under that name. With `-name` it is Xray's, else V2Ray's. */
export const apiStats: CommandRunner = async (args, process) => {
  const { values, positionals: patterns } = parseArgs({
    args: [...args],
    options: apiStatsOptions,
    allowPositionals: true,
  });
  const { name, regexp = false, reset = false, runtime = false, json = false } = values;
  return printAnswer(values, process, async (client) => {
    if (name !== undefined) {
      const text = formatXrayStat(await getStats(client, { name, reset }));
      return { text: toJsonFor(process.stdout, text), isReset: reset };
    }
    if (runtime) return { text: await readSys(client, json) };
    const { stats, failure } = await readCounters(client, { patterns, regexp, reset }, process);
    const text = json ? toPrintableLine(toStatsJson(stats)) : formatStatsTable(stats);
    return { text, isReset: reset, failure };
  });
};

async function readSys(client: StatsClient, json: boolean): Promise<string> {
  const sys = await readSysStats(client);
  return json ? toPrintableLine(toSysJson(sys)) : formatSysTable(sys);
}

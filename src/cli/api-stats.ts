import { parseArgs } from "node:util";
import { getStats } from "../client/get-stats.js";
import { toStatsJson, toSysJson } from "../client/proto-json.js";
import { queryStats } from "../client/query-stats.js";
import type { StatsClient } from "../client/stats-client.js";
import { readSysStats } from "../client/sys-stats.js";
import { apiStatsOptions } from "./api-options.js";
import type { CommandRunner } from "./command.js";
import { translateGoFlags } from "./go-flags.js";
import { print } from "./print.js";
import { toPrintableLine } from "./printable.js";
import { formatStatsTable } from "./stats-table.js";
import { formatSysTable } from "./sys-table.js";
import { withClient } from "./with-client.js";
import { formatXrayStat } from "./xray-json.js";

/** `v2ray-api api stats`: what both programs have under that name. With `-name` it is Xray's, else V2Ray's. */
export const apiStats: CommandRunner = async (args, process) => {
  const { values, positionals: patterns } = parseArgs({
    args: [...translateGoFlags(args, apiStatsOptions)],
    options: apiStatsOptions,
    allowPositionals: true,
  });
  const { name, regexp = false, reset = false, runtime = false, json = false } = values;
  return withClient(values, process, async (client) => {
    if (name !== undefined) {
      await print(process.stdout, formatXrayStat(await getStats(client, { name, reset })));
    } else if (runtime) {
      await print(process.stdout, await readSys(client, json));
    } else {
      const { stats, failure } = await queryStats(client, { patterns, regexp, reset });
      await print(process.stdout, json ? toPrintableLine(toStatsJson(stats)) : formatStatsTable(stats));
      if (failure !== undefined) throw failure;
    }
    return 0;
  });
};

async function readSys(client: StatsClient, json: boolean): Promise<string> {
  const sys = await readSysStats(client);
  return json ? toPrintableLine(toSysJson(sys)) : formatSysTable(sys);
}

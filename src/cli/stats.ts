import { parseArgs } from "node:util";
import { toStatsJson } from "../client/proto-json.js";
import { queryStats } from "../client/query-stats.js";
import { statsOptions } from "./client-options.js";
import type { CommandRunner } from "./command.js";
import { print } from "./print.js";
import { toPrintableLine } from "./printable.js";
import { formatStatsTable, sortByName } from "./stats-table.js";
import { withClient } from "./with-client.js";

/** `v2ray-api stats`: prints counters. */
export const stats: CommandRunner = async (args, process) => {
  const { values, positionals: patterns } = parseArgs({
    args: [...args],
    options: statsOptions,
    allowPositionals: true,
  });
  const { regexp = false, reset = false, json = false } = values;
  return withClient(values, process, async (client) => {
    const answer = await queryStats(client, { patterns, regexp, reset });
    const text = json
      ? toPrintableLine(toStatsJson(sortByName(answer.stats)))
      : formatStatsTable(answer.stats);
    await print(process.stdout, text);
    if (answer.failure !== undefined) throw answer.failure;
    return 0;
  });
};

import { parseArgs } from "node:util";
import { toStatsJson } from "../client/proto-json.js";
import { statsOptions } from "./client-options.js";
import type { CommandRunner } from "./command.js";
import { printAnswer } from "./print-answer.js";
import { toPrintableLine } from "./printable.js";
import { readCounters } from "./read-counters.js";
import { formatStatsTable, sortByName } from "./stats-table.js";

/** `v2ray-api stats`: prints counters. */
export const stats: CommandRunner = async (args, process) => {
  const { values, positionals: patterns } = parseArgs({
    args: [...args],
    options: statsOptions,
    allowPositionals: true,
  });
  const { regexp = false, reset = false, json = false } = values;
  return printAnswer(values, process, async (client) => {
    const { stats, failure } = await readCounters(client, { patterns, regexp, reset }, process);
    const text = json ? toPrintableLine(toStatsJson(sortByName(stats))) : formatStatsTable(stats);
    return { text, isReset: reset, failure };
  });
};

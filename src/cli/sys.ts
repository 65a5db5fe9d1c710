import { parseArgs } from "node:util";
import { toSysJson } from "../client/proto-json.js";
import { readSysStats } from "../client/sys-stats.js";
import { readOptions } from "./client-options.js";
import type { CommandRunner } from "./command.js";
import { printAnswer } from "./print-answer.js";
import { toPrintableLine } from "./printable.js";
import { formatSysTable } from "./sys-table.js";

/** `v2ray-api sys`: prints figures of the serving process. */
export const sys: CommandRunner = async (args, process) => {
  const { values } = parseArgs({ args: [...args], options: readOptions });
  const { json = false } = values;
  return printAnswer(values, process, async (client) => {
    const figures = await readSysStats(client);
    return { text: json ? toPrintableLine(toSysJson(figures)) : formatSysTable(figures) };
  });
};

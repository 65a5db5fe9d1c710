import { parseArgs } from "node:util";
import { toSysJson } from "../client/proto-json.js";
import { readSysStats } from "../client/sys-stats.js";
import { readOptions } from "./client-options.js";
import type { CommandRunner } from "./command.js";
import { print } from "./print.js";
import { toPrintableLine } from "./printable.js";
import { formatSysTable } from "./sys-table.js";
import { withClient } from "./with-client.js";

/** `v2ray-api sys`: prints figures of the serving process. */
export const sys: CommandRunner = async (args, process) => {
  const { values } = parseArgs({ args: [...args], options: readOptions });
  const { json = false } = values;
  return withClient(values, process, async (client) => {
    const figures = await readSysStats(client);
    await print(process.stdout, json ? toPrintableLine(toSysJson(figures)) : formatSysTable(figures));
    return 0;
  });
};

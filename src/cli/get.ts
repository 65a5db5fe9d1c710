import { parseArgs } from "node:util";
import { getStats } from "../client/get-stats.js";
import { toStatJson } from "../client/proto-json.js";
import { getOptions } from "./client-options.js";
import type { CommandRunner } from "./command.js";
import { printAnswer } from "./print-answer.js";
import { toPrintableLine } from "./printable.js";
import { UsageError } from "./usage-error.js";

/** `v2ray-api get`: prints the bytes of one counter, in digits. */
export const get: CommandRunner = async (args, process) => {
  const { values, positionals } = parseArgs({ args: [...args], options: getOptions, allowPositionals: true });
  const [name, ...others] = positionals;
  if (name === undefined || others.length > 0) throw new UsageError("it takes the name of one counter");
  const { reset = false, json = false } = values;
  return printAnswer(values, process, async (client) => {
    const stat = await getStats(client, { name, reset });
    return { text: json ? toPrintableLine(toStatJson(stat)) : `${stat.value}\n`, isReset: reset };
  });
};

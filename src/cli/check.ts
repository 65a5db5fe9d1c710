import type { CommandRunner } from "./command.js";
import { parseConfigOption } from "./config-option.js";
import { loadConfig } from "./load-config.js";
import { printResult } from "./print.js";

/** `v2ray-api check`: says whether a config is right, or all that is wrong with it. */
export const check: CommandRunner = async (args, process) => {
  const config = await loadConfig(parseConfigOption(args), process);
  if (config === undefined) return 1;
  await printResult(process, "ok\n");
  return 0;
};

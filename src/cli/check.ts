import type { CommandRunner } from "./command.js";
import { parseConfigOption } from "./config-option.js";
import { findWarnings } from "./config-warnings.js";
import { loadConfig } from "./load-config.js";
import { print, printResult } from "./print.js";

/** `v2ray-api check`: says whether a config is right, or all that is wrong with it. */
export const check: CommandRunner = async (args, process) => {
  const path = parseConfigOption(args);
  const config = await loadConfig(path, process);
  if (config === undefined) return 1;
  for (const line of await findWarnings(path, config)) {
    await print(process.stderr, `warning: ${line}\n`);
  }
  await printResult(process, "ok\n");
  return 0;
};

import { parseArgs } from "node:util";
import type { CommandOptions } from "./command.js";

/** The only option of the commands that work on a config. */
export const configOptions = {
  config: {
    type: "string",
    short: "c",
    // Where sing-box looks for its config, too.
    default: "config.json",
    value: "FILE",
    summary: "the config",
  },
} as const satisfies CommandOptions;

/**
 * Reads `-c FILE`. Given twice, the last one counts, so that `npm start -- -c FILE` can name another config than the script
 * does.
 *
 * @throws TypeError from parseArgs for anything else.
 */
export function parseConfigOption(args: readonly string[]): string {
  const { values } = parseArgs({ args: [...args], options: configOptions });
  return values.config;
}

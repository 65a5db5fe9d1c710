import { parseArgs } from "node:util";

/** Where sing-box looks for its config, too. */
const defaultConfigPath = "config.json";

/**
 * Reads `-c FILE`, the only option of the commands that work on a config. Given twice, the last one counts, so that
 * `npm start -- -c FILE` can name another config than the script does.
 *
 * @throws TypeError from parseArgs for anything else.
 */
export function parseConfigOption(args: readonly string[]): string {
  const { values } = parseArgs({
    args: [...args],
    options: { config: { type: "string", short: "c", default: defaultConfigPath } },
  });
  return values.config;
}

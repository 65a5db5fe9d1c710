import { ConfigError } from "../config/config-error.js";
import type { Config } from "../config/config.js";
import { readConfig } from "../config/read-config.js";
import type { CommandProcess } from "./command.js";
import { formatConfigReport } from "./config-report.js";

/** Reads a config, or prints everything that is wrong with it and returns `undefined`. */
export async function loadConfig(path: string, { stderr }: CommandProcess): Promise<Config | undefined> {
  try {
    return await readConfig(path);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    stderr.write(formatConfigReport(path, error, { withExcerpts: stderr.isTTY === true }));
    return undefined;
  }
}

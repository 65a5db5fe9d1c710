import { ConfigError } from "../config/config-error.js";
import type { Config } from "../config/config.js";
import { readConfig } from "../config/read-config.js";
import type { CommandProcess } from "./command.js";

/** Reads a config, or prints everything that is wrong with it, a line each, and returns `undefined`. */
export async function loadConfig(path: string, process: CommandProcess): Promise<Config | undefined> {
  try {
    return await readConfig(path);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const count = error.issues.length;
    process.stderr.write(`${path}: ${count} ${count === 1 ? "error" : "errors"}\n${error.message}\n`);
    return undefined;
  }
}

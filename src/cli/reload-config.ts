import { ConfigError } from "../config/config-error.js";
import { readConfig } from "../config/read-config.js";
import type { App } from "../index.js";
import { formatConfigReport } from "./config-report.js";
import { findWarnings } from "./config-warnings.js";
import type { CurrentLog } from "./current-log.js";

/** Reads a config again and gives it to the app. What is wrong with it is logged, and the app goes on with the old one. */
export async function reloadConfig(path: string, app: App, log: CurrentLog): Promise<void> {
  try {
    const config = await readConfig(path);
    await log.switchTo(config.log, async () => app.reload(config));
    for (const line of await findWarnings(path, config)) log.warn(line);
  } catch (error) {
    const [first, ...others] = [...reasonsOf(path, error), ...reopen(log)];
    log.error(`configuration not reloaded, the old one goes on: ${String(first)}`);
    for (const line of others) log.error(line);
  }
}

/** Who rotates logs has moved the file away, whatever the config is worth. @returns what is in the way of another one. */
function reopen(log: CurrentLog): readonly string[] {
  try {
    log.reopen();
    return [];
  } catch (error) {
    return [toMessage(error)];
  }
}

/** What `check` would print, or the one thing that is in the way. */
function reasonsOf(path: string, error: unknown): readonly string[] {
  if (!(error instanceof ConfigError)) return [toMessage(error)];
  return formatConfigReport(path, error, { withExcerpts: false }).trimEnd().split("\n");
}

function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { createApp, StartError } from "../index.js";
import { formatBanner } from "./banner.js";
import type { CommandRunner } from "./command.js";
import { parseConfigOption } from "./config-option.js";
import { findWarnings } from "./config-warnings.js";
import { CurrentLog } from "./current-log.js";
import { loadConfig } from "./load-config.js";
import { listenForReloadSignal } from "./reload-signal.js";
import { reloadConfig } from "./reload-config.js";
import { listenForStopSignals } from "./stop-signals.js";

/** How long connections and calls may take to end after the first signal. */
const graceMs = 5_000;

/** `v2ray-api run`: runs the proxy and the API until a signal comes. SIGHUP gives them the config as it is then. */
export const run: CommandRunner = async (args, process) => {
  const path = parseConfigOption(args);
  // First of all: SIGHUP ends a process that does not listen.
  const signals = listenForStopSignals(process);
  const reloadSignal = listenForReloadSignal(process);
  try {
    const config = await loadConfig(path, process);
    if (config === undefined) return 1;
    const log = new CurrentLog(config.log);
    const app = createApp(config, { logger: log });
    const addresses = await app.start();
    for (const line of await findWarnings(path, config)) log.warn(line);
    process.stdout.write(formatBanner(config, addresses));
    reloadSignal.answerWith(async () => reloadConfig(path, app, log));
    await signals.first;
    process.stdout.write("stopping: a second signal cuts what is still open\n");
    await app.stop(AbortSignal.any([signals.second, AbortSignal.timeout(graceMs)]));
    return 0;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`v2ray-api: ${error.message}\n`);
    return 1;
  } finally {
    signals.stopListening();
    reloadSignal.stopListening();
  }
};

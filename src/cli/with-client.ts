import { ClientError, type ClientErrorCode } from "../client/client-error.js";
import { StatsClient } from "../client/stats-client.js";
import { formatServerAddress } from "../client/server-address.js";
import { readClientFiles } from "./client-files.js";
import { parseClientSettings, type ClientValues } from "./client-options.js";
import type { CommandProcess, ExitCode } from "./command.js";
import { print } from "./print.js";
import { toPrintable } from "./printable.js";

/** No server has a part in these. */
const ownFaults: readonly ClientErrorCode[] = ["bad_regexp", "credentials"];

/**
 * Hands a command the client that its options describe. If the server cannot be read, that is one line on stderr, and the
 * exit code is 1.
 *
 * @throws UsageError if the options are wrong.
 */
export async function withClient(
  values: ClientValues,
  process: CommandProcess,
  run: (client: StatsClient) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { server, timeoutMs, ...files } = parseClientSettings(values, process.env);
  let client: StatsClient | undefined;
  try {
    client = new StatsClient(server, { timeoutMs, ...(await readClientFiles(files)) });
    return await run(client);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    const who = ownFaults.includes(error.code) ? "" : `${formatServerAddress(server)}: `;
    await print(process.stderr, `v2ray-api: ${who}${toPrintable(error.message)}\n`);
    return 1;
  } finally {
    client?.[Symbol.dispose]();
  }
}

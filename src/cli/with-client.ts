import { ClientError } from "../client/client-error.js";
import { StatsClient } from "../client/stats-client.js";
import { formatEndpoint } from "../net/endpoint.js";
import { parseClientSettings, type ClientValues } from "./client-options.js";
import type { CommandProcess, ExitCode } from "./command.js";
import { print } from "./print.js";
import { toPrintable } from "./printable.js";

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
  const { server, timeoutMs, secret } = parseClientSettings(values, process.env);
  const client = new StatsClient(server, { timeoutMs, secret });
  try {
    return await run(client);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    // No server has a part in that one.
    const who = error.code === "bad_regexp" ? "" : `${formatEndpoint(server)}: `;
    await print(process.stderr, `v2ray-api: ${who}${toPrintable(error.message)}\n`);
    return 1;
  } finally {
    client[Symbol.dispose]();
  }
}

import type { ClientError } from "../client/client-error.js";
import type { StatsClient } from "../client/stats-client.js";
import type { ClientValues } from "./client-options.js";
import type { CommandProcess, ExitCode } from "./command.js";
import { printResult } from "./print.js";
import { withClient } from "./with-client.js";

/** What a command has to say of what it read. */
export interface Answer {
  readonly text: string;
  /** Whether what the text shows was reset. Default: `false`. */
  readonly isReset?: boolean;
  /** What kept the rest from being read. */
  readonly failure?: ClientError | undefined;
}

/**
 * Prints what a command reads of the server that its options describe.
 *
 * @throws UsageError if the options are wrong; OutputError if the answer cannot be written.
 */
export async function printAnswer(
  values: ClientValues,
  process: CommandProcess,
  read: (client: StatsClient) => Promise<Answer>,
): Promise<ExitCode> {
  return withClient(values, process, async (client) => {
    const { text, isReset, failure } = await read(client);
    await printResult(process, text, { isReset });
    if (failure !== undefined) throw failure;
    return 0;
  });
}

import { readings } from "../client/readings.js";
import type { StatsClient } from "../client/stats-client.js";
import { toTraffic, type Reading } from "../client/traffic-rates.js";
import type { CommandProcess, CommandRunner } from "./command.js";
import { printResult } from "./print.js";
import { endSignals, listenForStopSignals } from "./stop-signals.js";
import { parseTopSettings, type TopSettings } from "./top-options.js";
import { showOnTerminal, terminalGone } from "./top-screen.js";
import { formatTopTable, titles } from "./top-table.js";
import { withClient } from "./with-client.js";

/** `v2ray-api top`: shows rates, until `q`, a signal, or as many tables as were asked for. It resets nothing. */
export const top: CommandRunner = async (args, process) => {
  const settings = parseTopSettings(args);
  const stopping = new AbortController();
  const signals = listenForStopSignals(process, endSignals);
  void signals.first.then(() => {
    stopping.abort();
  });
  try {
    return await withClient(settings.client, process, async (client) => {
      const show = process.stdout.isTTY === true ? showOnTerminal : printTables;
      await show(client, settings, process, stopping);
      return stopping.signal.reason === terminalGone ? 129 : 0;
    });
  } finally {
    signals.stopListening();
  }
};

/** Prints one table after the other, from the second reading on: there are no rates before. */
async function printTables(
  client: StatsClient,
  { scope, intervalMs, count }: TopSettings,
  process: CommandProcess,
  { signal }: AbortController,
): Promise<void> {
  let printed = 0;
  let previous: Reading | undefined;
  for await (const reading of readings(client, { intervalMs, signal })) {
    if (previous !== undefined) {
      const lines = formatTopTable(titles[scope], toTraffic(scope, reading, previous));
      const text = `${printed === 0 ? "" : "\n"}${lines.join("\n")}\n`;
      const isRead = await printResult(process, text, { signal });
      printed += 1;
      if (!isRead || printed === count) return;
    }
    previous = reading;
  }
}

import type { ClientError } from "../client/client-error.js";
import { readings } from "../client/readings.js";
import type { StatsClient } from "../client/stats-client.js";
import { toTraffic, type Reading } from "../client/traffic-rates.js";
import type { StatScope } from "../stats/stat-name.js";
import type { CommandProcess } from "./command.js";
import { toPrintable } from "./printable.js";
import { listenForKeys, rowsOf, takeScreen } from "./terminal.js";
import type { TopSettings } from "./top-options.js";
import { formatTopTable, titles } from "./top-table.js";

/** What a key shows. */
const scopeKeys: Readonly<Partial<Record<string, StatScope>>> = {
  u: "user",
  i: "inbound",
  o: "outbound",
};

/** `q`, and Ctrl-C, which is no signal while keys come one by one. */
const quitKeys: readonly string[] = ["q", "\u0003"];

/** Why it ended where there is nobody to show anything to. */
export const terminalGone = "the terminal has gone";

/** Lines above the table, and below it. */
const marginLines = 2;

/**
 * Shows rates on a screen of their own, until a key or the signal ends that. A server that no longer answers is said to, and
 * called again.
 *
 * @param stopping - Is aborted by `q`, and with {@link terminalGone}.
 * @throws ClientError if the server cannot be read at first.
 */
export async function showOnTerminal(
  client: StatsClient,
  settings: TopSettings,
  process: CommandProcess,
  stopping: AbortController,
): Promise<void> {
  const { stdout, stdin, env } = process;
  const { intervalMs, count, client: values } = settings;
  let { scope } = settings;
  let known: { readonly current: Reading; readonly previous: Reading | undefined } | undefined;
  let failure: ClientError | undefined;
  let screen: ReturnType<typeof takeScreen> | undefined;
  const draw = (): void => {
    if (known === undefined) return;
    screen ??= takeScreen(process, draw);
    const table = formatTopTable(titles[scope], toTraffic(scope, known.current, known.previous), {
      coloured: (env["NO_COLOR"] ?? "") === "",
      maxLines: rowsOf(stdout) - marginLines,
    });
    const state = failure === undefined ? "" : `: ${toPrintable(failure.message)}`;
    screen.show([
      `v2ray-api top ${values.server}${state}`,
      ...table,
      "u users  i inbounds  o outbounds  q quit",
    ]);
  };
  const stopListening = listenForKeys(stdin, {
    onKey: (key) => {
      if (quitKeys.includes(key)) stopping.abort();
      scope = scopeKeys[key] ?? scope;
      draw();
    },
    onGone: () => {
      stopping.abort(terminalGone);
    },
  });
  const onFailure = (error: ClientError): void => {
    failure = error;
    draw();
  };
  try {
    let shown = 0;
    for await (const reading of readings(client, { intervalMs, signal: stopping.signal, onFailure })) {
      failure = undefined;
      known = { current: reading, previous: known?.current };
      draw();
      // As in a pipe, the first reading is no table yet: it has no rates.
      if (known.previous !== undefined) shown += 1;
      if (shown === count) return;
    }
  } finally {
    stopListening();
    screen?.[Symbol.dispose]();
  }
}

import type { CommandProcess } from "./command.js";

/** The wish of whoever runs the program that it ends. */
export interface StopSignals {
  /** Resolves at the first signal. */
  readonly first: Promise<void>;
  /** Aborts at the second one. */
  readonly second: AbortSignal;
  stopListening(): void;
}

/** What asks a server to stop. */
const stopSignals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM"];

/** What ends a command that is there for a terminal, or while one waits. */
export const endSignals: readonly NodeJS.Signals[] = [...stopSignals, "SIGHUP", "SIGQUIT"];

/** The longest delay of Node's timers. */
const foreverMs = 2 ** 31 - 1;

/**
 * Takes signals over, which then no longer end the process by themselves. Until it stops to listen the process lives, even
 * if nothing in it has anything to do.
 *
 * @param signals - Which. Default: SIGINT and SIGTERM.
 */
export function listenForStopSignals(
  process: Pick<CommandProcess, "on" | "off">,
  signals: readonly NodeJS.Signals[] = stopSignals,
): StopSignals {
  const second = new AbortController();
  let onSignal: () => void = () => undefined;
  const first = new Promise<void>((resolve) => {
    let count = 0;
    onSignal = () => {
      count += 1;
      if (count === 1) resolve();
      else second.abort();
    };
  });
  for (const signal of signals) process.on(signal, onSignal);
  const keepingAlive = setInterval(() => undefined, foreverMs);
  return {
    first,
    second: second.signal,
    stopListening: () => {
      clearInterval(keepingAlive);
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}

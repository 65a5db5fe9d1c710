import type { CommandProcess } from "./command.js";

const stopSignals = ["SIGINT", "SIGTERM"] as const;

/** The wish of whoever runs the program that it ends. */
export interface StopSignals {
  /** Resolves at the first signal. */
  readonly first: Promise<void>;
  /** Aborts at the second one. */
  readonly second: AbortSignal;
  stopListening(): void;
}

/** The longest delay of Node's timers. */
const foreverMs = 2 ** 31 - 1;

/**
 * Takes SIGINT and SIGTERM over, which then no longer end the process by themselves. Until it stops to listen the process
 * lives, even if nothing in it has anything to do.
 */
export function listenForStopSignals(process: Pick<CommandProcess, "on" | "off">): StopSignals {
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
  for (const signal of stopSignals) process.on(signal, onSignal);
  const keepingAlive = setInterval(() => undefined, foreverMs);
  return {
    first,
    second: second.signal,
    stopListening: () => {
      clearInterval(keepingAlive);
      for (const signal of stopSignals) process.off(signal, onSignal);
    },
  };
}

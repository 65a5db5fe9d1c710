import type { CommandProcess, KeyInput, TextOutput } from "./command.js";

/** Another screen than that of the shell, without a cursor, on which long lines end at the edge. */
const enter = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const leave = "\u001b[?7h\u001b[?25h\u001b[?1049l";

/** Of a terminal that does not say how large it is. */
const usualRows = 24;

/** How many lines a terminal has room for. */
export function rowsOf({ rows = 0 }: Pick<TextOutput, "rows">): number {
  return rows === 0 ? usualRows : rows;
}

/** A screen of a terminal, drawn anew as a whole. */
export interface Screen {
  /** Shows these lines and nothing else; the last ones not, if there is no room for them. */
  show(lines: readonly string[]): void;
  /** Gives the terminal back as it was. */
  [Symbol.dispose](): void;
}

/**
 * Takes the screen, until it is disposed of.
 *
 * @param onResize - Is called when there is room for more lines or fewer.
 */
export function takeScreen({ stdout }: Pick<CommandProcess, "stdout">, onResize: () => void): Screen {
  stdout.write(enter);
  stdout.on("resize", onResize);
  return {
    show: (lines) => {
      const shown = lines.slice(0, rowsOf(stdout));
      // Each line is written over what was there, so that nothing flickers.
      const text = shown.map((line) => `${line}\u001b[K`).join("\r\n");
      stdout.write(`\u001b[H${text}\u001b[J`);
    },
    [Symbol.dispose]: () => {
      stdout.off("resize", onResize);
      stdout.write(leave);
    },
  };
}

/** What comes of listening to keys. */
export interface KeyListener {
  readonly onKey: (key: string) => void;
  /** There will be no more keys: the terminal has gone. It may be told more than once. */
  readonly onGone: () => void;
}

/**
 * Listens to the keys of a terminal, one by one. Ctrl-C is one of them then.
 *
 * @returns what to call to stop listening.
 */
export function listenForKeys(stdin: KeyInput, { onKey, onGone }: KeyListener): () => void {
  if (stdin.isTTY !== true) return () => undefined;
  const onData = (keys: Buffer | string): void => {
    for (const key of keys.toString()) onKey(key);
  };
  // For good: a terminal that has gone fails even to be given back.
  stdin.on("error", onGone);
  stdin.on("end", onGone);
  stdin.setRawMode?.(true);
  stdin.on("data", onData);
  stdin.resume();
  return () => {
    stdin.off("data", onData);
    stdin.off("end", onGone);
    stdin.setRawMode?.(false);
    stdin.pause();
  };
}

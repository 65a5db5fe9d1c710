import type { CommandProcess, KeyInput } from "./command.js";

/** Another screen than that of the shell, without a cursor, on which long lines end at the edge. */
const enter = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const leave = "\u001b[?7h\u001b[?25h\u001b[?1049l";

/** A screen of a terminal, drawn anew as a whole. */
export interface Screen {
  /** Shows these lines and nothing else. */
  show(lines: readonly string[]): void;
  /** Gives the terminal back as it was. */
  [Symbol.dispose](): void;
}

/** Takes the screen, until it is disposed of. */
export function takeScreen({ stdout }: Pick<CommandProcess, "stdout">): Screen {
  stdout.write(enter);
  return {
    show: (lines) => {
      // Each line is written over what was there, so that nothing flickers.
      const text = lines.map((line) => `${line}\u001b[K`).join("\r\n");
      stdout.write(`\u001b[H${text}\u001b[J`);
    },
    [Symbol.dispose]: () => {
      stdout.write(leave);
    },
  };
}

/** What comes of listening to keys. */
export interface KeyListener {
  onKey(key: string): void;
  /** There will be no more keys: the terminal has gone. It may be told more than once. */
  onGone(): void;
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

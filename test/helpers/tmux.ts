import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { TestContext } from "node:test";
import { runProgram } from "./program.js";
import { TempDir } from "./temp-dir.js";

/** A terminal of 100 columns and 12 rows, in which a command runs. */
export interface Tmux {
  /** What is to be seen now; with escape codes for the colours if told to. */
  screen(options?: { readonly coloured: boolean }): Promise<string>;
  /** Looks until the screen shows that; the test's own timeout bounds it. */
  shows(pattern: RegExp): Promise<string>;
  /** Whether the cursor is to be seen. */
  hasCursor(): Promise<boolean>;
  /** Types. */
  type(...keys: readonly string[]): Promise<void>;
  /** Gives the terminal that many rows. */
  resize(rows: number): Promise<void>;
  /** The process of the command, once it has shown something. */
  pid(): number;
  /** Takes the terminal away. */
  close(): Promise<void>;
}

/**
 * Runs a line of shell in a terminal of its own, of which `exit N` is shown at the end. It is closed after the test.
 *
 * @param line - One command, without quotes of its own.
 */
export async function startInTmux(t: TestContext, line: string): Promise<Tmux> {
  const folder = new TempDir();
  const socket = folder.join("tmux");
  const tmux = async (...args: readonly string[]): Promise<string> => {
    // One of the developer's own may be around it.
    const env = { TMUX: undefined, TERM: "xterm-256color", NO_COLOR: undefined };
    const { code, stdout, stderr } = await runProgram("tmux", ["-S", socket, "-f", "/dev/null", ...args], {
      env,
    });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  // Until the test is over it waits, so that the last screen can be seen.
  const pidFile = folder.join("pid");
  const command = `sh -c 'echo $$ >${pidFile}; exec ${line}'`;
  const size = ["-x", "100", "-y", "12"];
  await tmux("new-session", "-d", ...size, `echo before; ${command}; echo exit $?; exec cat`);
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await tmux("kill-server");
    isOpen = false;
  };
  t.after(async () => {
    await close();
    folder[Symbol.dispose]();
  });
  const screen: Tmux["screen"] = async ({ coloured } = { coloured: false }) =>
    tmux("capture-pane", "-p", ...(coloured ? ["-e"] : []));
  return {
    screen,
    shows: async (pattern) => {
      for (;;) {
        const text = await screen();
        if (pattern.test(text)) return text;
      }
    },
    hasCursor: async () => (await tmux("display-message", "-p", "#{cursor_flag}")).trim() === "1",
    type: async (...keys) => {
      await tmux("send-keys", ...keys);
    },
    resize: async (rows) => {
      await tmux("resize-window", "-y", `${rows}`);
    },
    pid: () => Number(readFileSync(pidFile, "utf8")),
    close,
  };
}

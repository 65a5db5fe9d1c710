import type { EventEmitter } from "node:events";

/** What a command may touch of its process. `process` itself is one. */
export interface CommandProcess extends Pick<EventEmitter, "on" | "off"> {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
}

/**
 * Exit codes: 0 all went well, 1 what was asked for failed, 2 the command line itself is wrong.
 */
export type ExitCode = 0 | 1 | 2;

/**
 * Does what a command says.
 *
 * @param args - What stands behind the command's name.
 * @throws TypeError from `parseArgs` if the arguments are wrong.
 */
export type CommandRunner = (args: readonly string[], process: CommandProcess) => Promise<ExitCode>;

/** One command of the command line. */
export interface Command {
  readonly name: string;
  /** What stands behind the name in a usage line. */
  readonly synopsis: string;
  /** One line. */
  readonly summary: string;
  /** Loads what runs it: a command starts without the modules of the others. */
  load(): Promise<CommandRunner>;
}

import type { EventEmitter } from "node:events";

/** What a command may touch of its process. `process` itself is one. */
export interface CommandProcess extends Pick<EventEmitter, "on" | "off"> {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: KeyInput;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
}

/** Where a command prints. A terminal emits `resize`. */
export interface TextOutput extends Pick<EventEmitter, "on" | "off"> {
  /** @param written - Called when the text has left the process, or with why it cannot. */
  write(text: string, written?: (error?: Error | null) => void): unknown;
  /** The descriptor, where there is one. */
  readonly fd?: number;
  readonly isTTY?: boolean;
  /** Of a terminal. */
  readonly rows?: number;
}

/** Where the keys of a terminal come from. */
export interface KeyInput extends Pick<EventEmitter, "on" | "off"> {
  readonly isTTY?: boolean;
  /** Whether keys come one by one, and are not shown. A terminal has it. */
  setRawMode?(raw: boolean): unknown;
  resume(): unknown;
  pause(): unknown;
}

/**
 * Exit codes: 0 all went well, 1 what was asked for failed, 2 the command line itself is wrong, 129 the terminal has gone.
 * The last one is what shells say of a process that SIGHUP has ended.
 */
export type ExitCode = 0 | 1 | 2 | 129;

/**
 * Does what a command says.
 *
 * @param args - What stands behind the command's name, as parseArgs reads it.
 * @throws TypeError from `parseArgs`, or a UsageError, if the arguments are wrong.
 */
export type CommandRunner = (args: readonly string[], process: CommandProcess) => Promise<ExitCode>;

/** One option of a command. `node:util`'s parseArgs reads the first four, help and completion the others. */
export interface CommandOption {
  readonly type: "string" | "boolean";
  /** One letter. */
  readonly short?: string;
  readonly default?: string | boolean;
  /** What stands for its value in the help, where it has one. */
  readonly value?: string;
  /** One line. */
  readonly summary: string;
  /** All that its value can be, where that is little. */
  readonly choices?: readonly string[];
}

/** The options of a command, by name. */
export type CommandOptions = Readonly<Record<string, CommandOption>>;

/** One command of the command line. */
export interface Command {
  readonly name: string;
  /** What stands behind the name in a usage line, but for the options that `options` lists. */
  readonly synopsis: string;
  /** One line. */
  readonly summary: string;
  readonly options: CommandOptions;
  /** How its long options are written: with one dash, in the spelling of Go's programs, or with two. Default: `--`. */
  readonly dashes?: "-" | "--";
  /** More lines of its help. */
  readonly details?: readonly string[];
  /** What its arguments can be, for the completion. */
  readonly choices?: readonly string[];
  /** Loads what runs it: a command starts without the modules of the others. */
  load(): Promise<CommandRunner>;
}

/** Commands that share their first word. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly Command[];
  /** More lines of its help. */
  readonly details: readonly string[];
}

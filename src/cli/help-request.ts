import { parseArgs } from "node:util";
import type { CommandOptions } from "./command.js";

const spellings: readonly (string | undefined)[] = ["--help", "-h", "-help"];

/** Whether an argument asks for help, if it is read as an option. */
export function isHelpOption(arg: string): boolean {
  return spellings.includes(arg);
}

/**
 * Whether the arguments of a command ask for its help: with an option, wherever one can stand, and not with a value that only
 * looks like it.
 *
 * @param options - Those of the command.
 */
export function asksForHelp(args: readonly string[], options: CommandOptions): boolean {
  const { tokens } = parseArgs({
    args: [...args],
    options: { ...options, help: { type: "boolean", short: "h" } },
    // What is wrong with the others is told by the command.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return tokens.some(({ kind, index }) => kind === "option" && spellings.includes(args[index]));
}

import type { Command, CommandGroup, CommandProcess, ExitCode } from "./command.js";
import { commands } from "./commands.js";
import { translateGoFlags } from "./go-flags.js";
import { asksForHelp, isHelpOption } from "./help-request.js";
import { formatCommandHelp, formatGroupHelp, formatUsageLine, formatUsage } from "./help.js";
import { OutputError } from "./output-error.js";
import { print, printResult } from "./print.js";
import { isUsageError } from "./usage-error.js";

/**
 * Runs the command that the arguments name. What cannot be printed is one line on stderr, and the exit code is 1.
 *
 * @param args - As in `process.argv`, without the program.
 */
export async function runCommandLine(args: readonly string[], process: CommandProcess): Promise<ExitCode> {
  try {
    return await runNamed(args, process);
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    await print(process.stderr, `v2ray-api: ${error.message}\n`);
    return 1;
  }
}

async function runNamed([name, ...rest]: readonly string[], process: CommandProcess): Promise<ExitCode> {
  if (name === undefined || name === "help" || isHelpOption(name)) {
    return explain(name === "help" ? rest : [], process, name === undefined ? 2 : 0);
  }
  const found = commands.find((known) => known.name === name);
  if (found === undefined)
    return refuse(`unknown command ${JSON.stringify(name)}`, formatUsage(commands), process);
  return "commands" in found ? runOfGroup(found, rest, process) : runCommand(found, name, rest, process);
}

/** Prints the help of a command, or of all. */
async function explain(
  [name]: readonly string[],
  process: CommandProcess,
  exitCode: ExitCode,
): Promise<ExitCode> {
  await printResult(process, formatHelp(commands.find((known) => known.name === name)));
  return exitCode;
}

function formatHelp(found: Command | CommandGroup | undefined): string {
  if (found === undefined) return formatUsage(commands);
  return "commands" in found ? formatGroupHelp(found) : formatCommandHelp(found, found.name);
}

async function runOfGroup(
  group: CommandGroup,
  [name, ...rest]: readonly string[],
  process: CommandProcess,
): Promise<ExitCode> {
  const help = formatGroupHelp(group);
  if (name === undefined || name === "help" || isHelpOption(name)) {
    await printResult(process, help);
    return name === undefined ? 2 : 0;
  }
  const command = group.commands.find((known) => known.name === name);
  const words = `${group.name} ${name}`;
  if (command === undefined) return refuse(`unknown command ${JSON.stringify(words)}`, help, process);
  return runCommand(command, words, rest, process);
}

function refuse(reason: string, help: string, { stderr }: CommandProcess): ExitCode {
  stderr.write(`v2ray-api: ${reason}\n\n${help}`);
  return 2;
}

/** @param words - By which it was called. */
async function runCommand(
  command: Command,
  words: string,
  args: readonly string[],
  process: CommandProcess,
): Promise<ExitCode> {
  const { dashes, options } = command;
  try {
    const given = dashes === "-" ? translateGoFlags(args, options) : args;
    if (asksForHelp(given, options)) {
      await printResult(process, formatCommandHelp(command, words));
      return 0;
    }
    const run = await command.load();
    return await run(given, process);
  } catch (error) {
    if (!isUsageError(error)) throw error;
    process.stderr.write(`v2ray-api ${words}: ${error.message}\nusage: ${formatUsageLine(command, words)}\n`);
    return 2;
  }
}

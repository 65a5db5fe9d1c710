import type { Command, CommandProcess, ExitCode } from "./command.js";
import { isUsageError } from "./usage-error.js";

const commands: readonly Command[] = [
  {
    name: "run",
    synopsis: "[-c FILE]",
    summary: "run the proxy and the V2Ray API that a config describes",
    load: async () => (await import("./run.js")).run,
  },
  {
    name: "check",
    synopsis: "[-c FILE]",
    summary: "check a config: prints ok, or everything that is wrong with it",
    load: async () => (await import("./check.js")).check,
  },
];

const helpOptions: readonly (string | undefined)[] = ["--help", "-h"];

/**
 * Runs the command that the arguments name.
 *
 * @param args - As in `process.argv`, without the program.
 */
export async function runCommandLine(args: readonly string[], process: CommandProcess): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === undefined || name === "help" || helpOptions.includes(name)) {
    process.stdout.write(usage(commands));
    return name === undefined ? 2 : 0;
  }
  const command = commands.find((known) => known.name === name);
  if (command === undefined) {
    process.stderr.write(`v2ray-api: unknown command ${JSON.stringify(name)}\n\n${usage(commands)}`);
    return 2;
  }
  if (helpOptions.includes(rest[0])) {
    process.stdout.write(usage([command]));
    return 0;
  }
  const run = await command.load();
  try {
    return await run(rest, process);
  } catch (error) {
    if (!isUsageError(error)) throw error;
    process.stderr.write(`v2ray-api ${name}: ${error.message}\nusage: ${usageLine(command)}\n`);
    return 2;
  }
}

function usage(shown: readonly Command[]): string {
  const lines = shown.map((command) => `  ${usageLine(command).padEnd(32)}${command.summary}\n`);
  return `usage:\n${lines.join("")}`;
}

function usageLine({ name, synopsis }: Command): string {
  return `v2ray-api ${name} ${synopsis}`;
}

import type { Command, CommandGroup, CommandOption } from "./command.js";

const exitCodes = "Exit codes: 0 all went well, 1 it did not, 2 the command line is wrong.\n";

/** All commands, a line each. */
export function formatUsage(commands: readonly (Command | CommandGroup)[]): string {
  const lines = commands.map((command) => {
    const usage =
      "commands" in command ? `v2ray-api ${command.name} COMMAND` : formatUsageLine(command, command.name);
    return formatLine(usage, 32, command.summary);
  });
  return `usage:\n${lines.join("")}\n"v2ray-api COMMAND --help" tells more of one. ${exitCodes}`;
}

/** The commands of a group. */
export function formatGroupHelp({ name, summary, commands, details }: CommandGroup): string {
  const lines = commands.map((command) =>
    formatLine(formatUsageLine(command, `${name} ${command.name}`), 44, command.summary),
  );
  return `usage: v2ray-api ${name} COMMAND\n\n${formatLines([toSentence(summary), ...details])}\n${lines.join("")}\n${exitCodes}`;
}

/**
 * All that there is to know of a command.
 *
 * @param words - By which it is called.
 */
export function formatCommandHelp(command: Command, words: string): string {
  const { summary, options, dashes = "--", details = [] } = command;
  const lines = Object.entries(options).map(([name, option]) =>
    formatLine(formatOption(name, option, dashes), 24, formatSummary(option)),
  );
  const parts = [
    `usage: ${formatUsageLine(command, words)}\n`,
    formatLines([toSentence(summary)]),
    ...(lines.length > 0 ? [`options:\n${lines.join("")}`] : []),
    ...(details.length > 0 ? [formatLines(details)] : []),
    exitCodes,
  ];
  return parts.join("\n");
}

/** How a command is called, without its options. */
export function formatUsageLine({ synopsis }: Command, words: string): string {
  return `v2ray-api ${words} ${synopsis}`.trimEnd();
}

function formatLine(start: string, width: number, text: string): string {
  return `  ${start.padEnd(width)}${text}\n`;
}

function formatOption(name: string, { short, value }: CommandOption, dashes: string): string {
  const start = short === undefined ? "    " : `-${short}, `;
  return `${start}${dashes}${name}${value === undefined ? "" : ` ${value}`}`;
}

function formatSummary({ summary, choices, default: preset }: CommandOption): string {
  const choice = choices === undefined ? "" : `: ${choices.join(", ")}`;
  return `${summary}${choice}${preset === undefined || preset === "" ? "" : ` (default ${preset})`}`;
}

function formatLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

function toSentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

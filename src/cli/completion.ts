import { parseArgs } from "node:util";
import type { Command, CommandGroup, CommandOption, CommandRunner } from "./command.js";
import { printResult } from "./print.js";
import { UsageError } from "./usage-error.js";

/**
 * `v2ray-api completion`: prints a script for bash, which knows the commands by heart and asks nobody.
 *
 * @param commands - All that the program can do.
 */
export function createCompletion(commands: readonly (Command | CommandGroup)[]): CommandRunner {
  return async (args, process) => {
    const { positionals } = parseArgs({ args: [...args], options: {}, allowPositionals: true });
    if (positionals.join(" ") !== "bash")
      throw new UsageError('it takes the name of a shell, which is "bash"');
    await printResult(process, formatBashCompletion(commands));
    return 0;
  };
}

/** The words that can come next, by bash's patterns for what stands before them. */
type Table = readonly (readonly [before: string, words: readonly string[]])[];

function formatBashCompletion(commands: readonly (Command | CommandGroup)[]): string {
  const leaves = commands.flatMap((command) =>
    "commands" in command
      ? command.commands.map((leaf) => ({ words: `${command.name} ${leaf.name}`, leaf }))
      : [{ words: command.name, leaf: command }],
  );
  const groups = commands.filter((command) => "commands" in command);
  const names: Table = [
    ['""', [...commands.map(({ name }) => name), "help"]],
    ...groups.map((group) => [quote(group.name), group.commands.map(({ name }) => name)] as const),
    ...leaves.map(
      ({ words, leaf }) => [quote(words), [...(leaf.choices ?? []), ...optionWords(leaf)]] as const,
    ),
  ];
  const values: Table = leaves.flatMap(({ words, leaf }) =>
    Object.entries(leaf.options)
      .filter(([, option]) => option.type === "string")
      .map(([name, option]) => [valuePatterns(words, leaf, name, option), valueWords(option)] as const),
  );
  return script
    .replace("%GROUPS%", () => groups.map(({ name }) => quote(name)).join("|") || noGroup)
    .replace("%VALUES%", () => formatCases(values, "    "))
    .replace("%NAMES%", () => formatCases(names, "        "));
}

function optionWords({ options, dashes = "--" }: Command): readonly string[] {
  return [...Object.keys(options).map((name) => `${dashes}${name}`), `${dashes}help`];
}

/** What stands before a value: the command and the option in each of its spellings. */
function valuePatterns(
  words: string,
  { dashes = "--" }: Command,
  name: string,
  { short }: CommandOption,
): string {
  const spellings = [`${dashes}${name}`, ...(short === undefined ? [] : [`-${short}`])];
  return spellings.map((spelling) => quote(`${words} ${spelling}`)).join("|");
}

function valueWords({ choices, value }: CommandOption): readonly string[] {
  // A file is completed by bash itself.
  return value === "FILE" ? ["@file"] : (choices ?? []);
}

function formatCases(table: Table, indent: string): string {
  return table.map(([before, words]) => `${indent}${before}) words=${quote(words.join(" "))} ;;\n`).join("");
}

/** A pattern that no command is like. */
const noGroup = '""';

/** None of our words has a character that bash minds there. */
function quote(words: string): string {
  return `"${words}"`;
}

/** The command is all words before the one that is written, up to the first option; a group has two. */
const script = `# bash completion of v2ray-api: source <(v2ray-api completion bash)
_v2ray_api() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command="" words=""
  if ((COMP_CWORD > 1)); then command=\${COMP_WORDS[1]}; fi
  case $command in
    %GROUPS%) if ((COMP_CWORD > 2)); then command+=" \${COMP_WORDS[2]}"; fi ;;
  esac
  COMPREPLY=()
  case "$command $previous" in
%VALUES%    *)
      case $command in
%NAMES%      esac
      ;;
  esac
  if [[ $words == @file ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  fi
}
complete -F _v2ray_api v2ray-api
`;

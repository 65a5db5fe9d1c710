import type { CommandOption, CommandOptions } from "./command.js";
import { UsageError } from "./usage-error.js";

/** How Go's `strconv.ParseBool` reads a switch's value. */
const booleans: Readonly<Partial<Record<string, boolean>>> = {
  ...{ "1": true, t: true, T: true, TRUE: true, true: true, True: true },
  ...{ "0": false, f: false, F: false, FALSE: false, false: false, False: false },
};

const helpFlags: readonly string[] = ["h", "help"];

/**
 * Writes arguments in the spelling of Go's `flag` package as `node:util`'s parseArgs reads them: `-x`, `--x`, `-x=v` and
 * `-x v` are one, a switch takes a value behind `=` only, and the first argument that is no flag ends them. A flag that asks
 * for help, `-h` or `-help`, leaves nothing else to be read, and is `--help`.
 *
 * @param options - By name; `short` is another name.
 * @throws UsageError in Go's words.
 */
export function translateGoFlags(args: readonly string[], options: CommandOptions): readonly string[] {
  const values = new Map<string, string>();
  let index = 0;
  for (; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (arg === "--") {
      index += 1;
      break;
    }
    const [, flag, given] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
    if (flag === undefined) {
      if (/^-./.test(arg)) throw new UsageError(`bad flag syntax: ${arg}`);
      break;
    }
    if (helpFlags.includes(flag)) return ["--help"];
    const [name, option] = findOption(flag, options);
    if (option.type === "boolean") {
      values.set(name, readBoolean(flag, given ?? "true") ? `--${name}` : "");
      continue;
    }
    if (given === undefined) index += 1;
    const value = given ?? args[index];
    if (value === undefined) throw new UsageError(`flag needs an argument: -${flag}`);
    values.set(name, `--${name}=${value}`);
  }
  return [...[...values.values()].filter((text) => text !== ""), "--", ...args.slice(index)];
}

function findOption(flag: string, options: CommandOptions): readonly [name: string, option: CommandOption] {
  const found = Object.entries(options).find(([name, { short }]) => name === flag || short === flag);
  if (found === undefined) throw new UsageError(`flag provided but not defined: -${flag}`);
  return found;
}

function readBoolean(flag: string, text: string): boolean {
  const value = Object.hasOwn(booleans, text) ? booleans[text] : undefined;
  if (value === undefined) {
    throw new UsageError(`invalid boolean value ${JSON.stringify(text)} for -${flag}: parse error`);
  }
  return value;
}

import { parseArgs } from "node:util";
import { createMeasures } from "./measures.js";

export interface BenchOptions {
  /** The measures to carry out. Empty: all of them. */
  readonly names: readonly string[];
  readonly isHelpWanted: boolean;
  readonly roundCount: number | undefined;
  readonly scale: number;
  readonly maxMs: number | undefined;
  /** Where the record is written to. */
  readonly json: string | undefined;
  /** Where it is read from, with nothing measured. */
  readonly from: string | undefined;
  readonly writesDocs: boolean;
}

/** @throws RangeError for what there is not. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: "boolean", default: false },
      rounds: { type: "string" },
      scale: { type: "string", default: "1" },
      "max-seconds": { type: "string" },
      json: { type: "string" },
      from: { type: "string" },
      docs: { type: "boolean", default: false },
    },
  });
  const known = createMeasures().map(({ name }) => name);
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new RangeError(`there is no measure ${unknown.join(", ")}; there are ${known.join(", ")}`);
  }
  const roundCount = toNumber("rounds", values.rounds);
  if (roundCount !== undefined && !Number.isInteger(roundCount))
    throw new RangeError(`--rounds: expected a whole number, got ${roundCount}`);
  const maxSeconds = toNumber("max-seconds", values["max-seconds"]);
  if (positionals.length > 0 && (values.docs || values.from !== undefined))
    throw new RangeError("--docs and --from are about all measures: none can be named");
  return {
    names: positionals,
    isHelpWanted: values.help,
    roundCount,
    scale: toNumber("scale", values.scale) ?? 1,
    maxMs: maxSeconds === undefined ? undefined : maxSeconds * 1_000,
    ...{ json: values.json, from: values.from, writesDocs: values.docs },
  };
}

/** What there is to be said, with every measure. */
export function usage(): string {
  const measures = createMeasures();
  const width = Math.max(...measures.map(({ name }) => name.length));
  return [
    "npm run bench [-- NAME...] [OPTIONS]",
    "",
    "Measures this server side by side with others, in turns, and prints medians and ratios. All of it takes a quarter of an",
    "hour; one measure takes from ten seconds to a minute.",
    "",
    "  --rounds N       how many rounds make a median. Default: what each measure says, in brackets below",
    "  --scale N        how much of each load and size: 0.1 is a tenth, for a look. Default: 1",
    "  --max-seconds N  after how long no further round of a measure begins. Default: 180",
    "  --json FILE      writes the figures to a file as well",
    "  --docs           writes them to docs/benchmarks.json and into docs/benchmarks.md; of all measures",
    "  --from FILE      measures nothing, and takes the figures of such a file",
    "",
    ...measures.map(({ name, title, roundCount }) => `  ${name.padEnd(width)}  ${title} [${roundCount}]`),
  ].join("\n");
}

function toNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new RangeError(`--${option}: expected a number above 0, got ${text}`);
  return value;
}

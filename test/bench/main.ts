// Measures this server side by side with others, and prints the ratios. It asserts nothing: machines differ, and are noisy.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "prettier";
import { rootPath } from "../helpers/cli.js";
import { formatBars } from "./bars.js";
import { writeFigures } from "./docs.js";
import { LoadGenerator } from "./load.js";
import { createMeasures } from "./measures.js";
import { parseOptions, usage } from "./options.js";
import { describeRun, toMeasureRecord, type BenchRecord, type MeasureRecord } from "./record.js";
import { formatMeasure, formatRun } from "./report.js";
import { carryOutRounds } from "./rounds.js";

// What it has started ends with it.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const options = parseOptions(process.argv.slice(2));
if (options.isHelpWanted) print(usage());
else if (options.from === undefined) await keep(await measureAll());
else await keep(JSON.parse(readFileSync(options.from, "utf8")) as BenchRecord);

async function measureAll(): Promise<BenchRecord> {
  const run = describeRun(options.scale);
  print(`${formatRun(run)}\n`);
  const measures: MeasureRecord[] = [];
  const load = await LoadGenerator.start();
  try {
    for (const measure of createMeasures(options.scale)) {
      if (options.names.length > 0 && !options.names.includes(measure.name)) continue;
      const record = toMeasureRecord(await carryOutRounds(measure, load, options));
      measures.push(record);
      print(formatMeasure(record));
    }
  } finally {
    load[Symbol.dispose]();
  }
  return { ...run, measures };
}

async function keep(record: BenchRecord): Promise<void> {
  print(formatBars(record));
  const json = await format(JSON.stringify(record), { parser: "json", printWidth: 110 });
  if (options.json !== undefined) writeFileSync(options.json, json);
  if (!options.writesDocs) return;
  const page = join(rootPath, "docs", "benchmarks.md");
  writeFileSync(page, writeFigures(readFileSync(page, "utf8"), record));
  writeFileSync(join(rootPath, "docs", "benchmarks.json"), json);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

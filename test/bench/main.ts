// Measures this server side by side with others, and prints the ratios. It asserts nothing: machines differ, and are noisy.
//
//   npm run bench [-- NAME...] [--rounds N] [--json FILE]
//
// --rounds  how many rounds make a median. Default: what each measure says, 3 to 15
// --json    writes the figures to a file as well
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { LoadGenerator } from "./load.js";
import { measures } from "./measures.js";
import { describeMachine, formatResult, toRecord } from "./report.js";
import { carryOutRounds, type MeasureResult } from "./rounds.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string" }, json: { type: "string" } },
});
const roundCount = values.rounds === undefined ? undefined : Number(values.rounds);
if (roundCount !== undefined && !(Number.isInteger(roundCount) && roundCount > 0)) {
  throw new RangeError(`--rounds: expected a whole number above 0, got ${String(values.rounds)}`);
}
const unknown = positionals.filter((name) => !measures.some((measure) => measure.name === name));
if (unknown.length > 0) {
  const names = measures.map(({ name }) => name).join(", ");
  throw new RangeError(`there is no measure ${unknown.join(", ")}; there are ${names}`);
}

process.stdout.write(`${describeMachine()}\n\n`);
const results: MeasureResult[] = [];
const load = await LoadGenerator.start();
try {
  for (const measure of measures) {
    if (positionals.length > 0 && !positionals.includes(measure.name)) continue;
    const result = await carryOutRounds(measure, load, { roundCount });
    results.push(result);
    process.stdout.write(`${formatResult(result)}\n`);
  }
} finally {
  load[Symbol.dispose]();
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify(toRecord(results), undefined, 2)}\n`);
}

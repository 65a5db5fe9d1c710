// Carries the endurance runs out, all of them or those that are named, and prints what they took. Exits with 1 if a fact
// that must hold does not.
//
//   npm run endurance [-- NAME...] [--scale N] [--verbose]
//
// --scale    how much of each run, for a machine with less room: 0.1 is a tenth. Default: 1
// --verbose  prints every fact, not only those that are broken
import { parseArgs } from "node:util";
import { carryOut, type RunResult } from "./run.js";
import { fullRuns } from "./runs.js";
import { formatResults } from "./table.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { scale: { type: "string", default: "1" }, verbose: { type: "boolean", default: false } },
});
const scale = Number(values.scale);
if (!(scale > 0)) throw new RangeError(`--scale: expected a number above 0, got ${values.scale}`);
const runs = fullRuns(scale);
const unknown = positionals.filter((name) => !runs.some((run) => run.name === name));
if (unknown.length > 0) {
  const names = runs.map(({ name }) => name).join(", ");
  throw new RangeError(`there is no run ${unknown.join(", ")}; there are ${names}`);
}

const results: RunResult[] = [];
for (const run of runs) {
  if (positionals.length > 0 && !positionals.includes(run.name)) continue;
  print(`${run.name}: ${run.amount}`);
  const result = await carryOut(run, { onProgress: print });
  if (values.verbose)
    for (const { text, holds } of result.facts) print(`  ${holds ? "holds" : "BROKEN"}: ${text}`);
  results.push(result);
}
print(`\n${formatResults(results)}`);
if (results.some(({ facts }) => facts.some(({ holds }) => !holds))) process.exitCode = 1;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

// Attacks a server in every way that test/attacks/attacks.ts knows, or in those that are named, while others call it, and
// prints how it was. Exits with 1 if a good call was not answered, or if the server went beyond a bound.
//
//   npm run attacks [-- NAME...] [--seconds N]
//
// --seconds  how long each goes on. Default: 5
import { parseArgs } from "node:util";
import { AttackedServer } from "./attacked-server.js";
import { attacks } from "./attacks.js";
import { carryOut } from "./run.js";

/** The event loop may be late, but not often. */
const maxUsualDelayMs = 50;
/** All counters together are an answer of 5 MB. */
const userCount = 42_500;
const maxRssBytes = 768 * 2 ** 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "5" } },
});
const durationMs = Number(values.seconds) * 1_000;
if (!(durationMs > 0)) throw new RangeError(`--seconds: expected a number above 0, got ${values.seconds}`);
const unknown = positionals.filter((name) => !attacks.some((attack) => attack.name === name));
if (unknown.length > 0) throw new RangeError(`there is no attack ${unknown.join(", ")}`);

print(row("attack", "good calls", "slowest ms", "delay ms: 99 %", "most", "peak RSS MB", ""));
for (const attack of attacks) {
  if (positionals.length > 0 && !positionals.includes(attack.name)) continue;
  const server = await AttackedServer.start(userCount);
  try {
    const { report, goodCount, slowestMs } = await carryOut(attack, server, {
      durationMs,
      scale: 1,
      warmUpCount: 50,
    });
    const { usualDelayMs, maxDelayMs, peakRssBytes } = report;
    const isBroken = usualDelayMs > maxUsualDelayMs || peakRssBytes > maxRssBytes;
    const figures = [goodCount, slowestMs, usualDelayMs, maxDelayMs, peakRssBytes / 2 ** 20];
    print(row(attack.name, ...figures.map((figure) => figure.toFixed(0)), isBroken ? "BROKEN" : ""));
    if (isBroken) process.exitCode = 1;
  } catch (error) {
    print(row(attack.name, "", "", "", "", "", `BROKEN: ${String(error)}`));
    process.exitCode = 1;
  } finally {
    await server[Symbol.asyncDispose]();
  }
}

function row(name: string, ...cells: readonly string[]): string {
  return name.padEnd(24) + cells.map((cell) => cell.padStart(15)).join("");
}

function print(line: string): void {
  process.stdout.write(`${line.trimEnd()}\n`);
}

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { rootPath } from "../helpers/cli.js";
import { runProgram } from "../helpers/program.js";
import { createTempDir } from "../helpers/temp-dir.js";

const main = fileURLToPath(new URL("main.js", import.meta.url));
const recorded = join(rootPath, "docs", "benchmarks.json");
const io = { timeout: 20_000 };

describe("npm run bench", () => {
  it("says what it can do", io, async () => {
    const { code, stdout } = await runProgram(process.execPath, [main, "--help"]);
    assert.equal(code, 0);
    assert.match(stdout, /^npm run bench \[-- NAME\.\.\.\] \[OPTIONS\]$/m);
  });

  it("prints the bars of another run, and keeps it as it is", io, async (t) => {
    const json = createTempDir(t).join("record.json");
    const { stdout } = await runProgram(process.execPath, [main, "--from", recorded, "--json", json]);
    assert.match(stdout, /^\| Start to the first answer /m);
    assert.equal(readFileSync(json, "utf8"), readFileSync(recorded, "utf8"));
  });

  it("carries out the measures that are named, and keeps what they came to", io, async (t) => {
    const json = createTempDir(t).join("record.json");
    const args = [main, "tracked-short", "--rounds", "1", "--scale", "0.01", "--json", json];
    const { code, stdout, stderr } = await runProgram(process.execPath, args);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^### Counting, short connections$/m);
    const { measures } = JSON.parse(readFileSync(json, "utf8")) as { readonly measures: readonly object[] };
    assert.equal(measures.length, 1);
  });

  it("refuses what there is not", io, async () => {
    const { code, stderr } = await runProgram(process.execPath, [main, "nothing"]);
    assert.equal(code, 1);
    assert.match(stderr, /there is no measure nothing/);
  });
});

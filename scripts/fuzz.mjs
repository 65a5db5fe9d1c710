// Searches with the compiled fuzz tests for inputs that break something: each property for a while, with random inputs.
// What is found is printed, and added to test/fuzz/corpus.
//
//   node scripts/fuzz.mjs [--seconds N] [--seed N]
//
// --seconds  for each property; default: 60
// --seed     of the random inputs, as a failure names it; default: another each time
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } },
});

const tests = spawn(process.execPath, ["scripts/test.mjs", "--only", "fuzz"], {
  stdio: "inherit",
  env: {
    ...process.env,
    V2RAY_API_FUZZ_SECONDS: values.seconds,
    ...(values.seed === undefined ? {} : { V2RAY_API_FUZZ_SEED: values.seed }),
  },
});
tests.on("exit", (code) => {
  process.exitCode = code ?? 1;
});

// Runs Connect's conformance suite against server.ts: npm run conformance
import { runProgram } from "../helpers/program.js";
import { hasTool, rootPath } from "./outside-tool.js";

/** All that the suite has for what config.yaml says: none is known to fail, and none is to be lost unnoticed. */
const caseCount = 1_900;
/** Many times what it takes. */
const timeoutMs = 240_000;

if (hasTool("connectconformance")) {
  const server = ["npm", "run", "--silent", "conformance:server"];
  const args = ["--conf", "test/conformance/config.yaml", "--mode", "server", "--", ...server];
  const { code, stdout, stderr } = await runProgram("connectconformance", args, { cwd: rootPath, timeoutMs });
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  if (code !== 0 || !stdout.includes(`\n${caseCount} passed, 0 failed`)) {
    process.stderr.write(`conformance: ${caseCount} passed cases were expected\n`);
    process.exitCode = 1;
  }
}

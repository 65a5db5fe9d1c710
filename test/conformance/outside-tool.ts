import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { areClientsRequired, findProgram } from "../helpers/outside-client.js";

/** The folder of the package. */
export const rootPath = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * Whether one of the programs in tools.txt is on PATH. If not, that is said in a line, with the way to install it; where
 * V2RAY_API_REQUIRE_CLIENTS is set (CI), this process then fails.
 */
export function hasTool(program: string): boolean {
  if (findProgram(program) !== undefined) return true;
  const [outcome, code] = areClientsRequired() ? ["required here", 1] : ["skipped", 0];
  process.stderr.write(
    `${program} is not on PATH: ${outcome}; to install it: go install ${moduleOf(program)}\n`,
  );
  process.exitCode = code;
  return false;
}

function moduleOf(program: string): string {
  const lines = readFileSync(join(rootPath, "test", "conformance", "tools.txt"), "utf8").split("\n");
  const line = lines.find((text) => text.startsWith(`${program} `));
  if (line === undefined) throw new Error(`tools.txt has no ${program}`);
  return line.slice(program.length + 1);
}

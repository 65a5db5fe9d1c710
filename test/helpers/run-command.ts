import { runCommandLine } from "../../src/cli/command-line.js";
import { FakeProcess } from "./fake-process.js";
import type { ProgramResult } from "./program.js";

/** Runs the command line to its end, in a process that is none. */
export async function runCommand(...args: readonly string[]): Promise<ProgramResult> {
  const process = new FakeProcess();
  const code = await runCommandLine(args, process);
  return { code, ...process.printed };
}

import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Runs a program to its end. Fails with what it printed unless its exit code is 0. */
export async function run(file, args, { cwd } = {}) {
  try {
    const { stdout } = await promisify(execFile)(file, args, { cwd, maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    // The message has what it printed to stderr.
    throw new Error(`${error.message}\n${error.stdout}`, { cause: error });
  }
}

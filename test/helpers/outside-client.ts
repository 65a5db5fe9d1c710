import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The Python of the system, for which distributions package modules; another one may be first on the PATH. */
export const systemPython = "/usr/bin/python3";

/** What is not ours and not a dependency: the name of a program, or a module of {@link systemPython}. */
export type OutsideClient = string | { readonly pythonModule: string };

/**
 * Finds what is not ours and not a dependency, for a test that wants it: `{ skip: false }` where all of it is installed,
 * else `{ skip: "v2ctl is not installed" }`, to be spread into the test's options.
 *
 * Where V2RAY_API_REQUIRE_CLIENTS is set (CI), anything missing is an error: nothing may be skipped there.
 */
export function needs(...clients: readonly OutsideClient[]): { readonly skip: string | false } {
  const missing = clients.filter((client) => !isInstalled(client)).map(nameOf);
  if (missing.length === 0) return { skip: false };
  const reason = missing.map((name) => `${name} is not installed`).join(", ");
  if (areClientsRequired()) throw new Error(reason);
  return { skip: reason };
}

/** Whether a missing one is an error. */
export function areClientsRequired(): boolean {
  return process.env["V2RAY_API_REQUIRE_CLIENTS"] !== undefined;
}

/** Where on the PATH a program is, if it is there. */
export function findProgram(name: string): string | undefined {
  const files = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, name));
  return files.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function isInstalled(client: OutsideClient): boolean {
  if (typeof client === "string") return findProgram(client) !== undefined;
  const importing = spawnSync(systemPython, ["-c", `import ${client.pythonModule}`], { stdio: "ignore" });
  return importing.status === 0;
}

function nameOf(client: OutsideClient): string {
  return typeof client === "string" ? client : `${systemPython}'s module ${client.pythonModule}`;
}

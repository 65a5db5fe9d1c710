import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Finds a program that is not ours and not a dependency, for a test that wants it: `{ skip: false }` where it is
 * installed, else `{ skip: "v2ctl is not installed" }`, to be spread into the test's options.
 *
 * Where V2RAY_API_REQUIRE_CLIENTS is set (CI), a missing program is an error: nothing may be skipped there.
 */
export function needs(program: string): { readonly skip: string | false } {
  if (isInstalled(program)) return { skip: false };
  const reason = `${program} is not installed`;
  if (process.env["V2RAY_API_REQUIRE_CLIENTS"] !== undefined) throw new Error(reason);
  return { skip: reason };
}

function isInstalled(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

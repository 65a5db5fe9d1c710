import { mkdirSync, statSync } from "node:fs";
import * as nodeModule from "node:module";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * Has Node, from 22.8 on, keep what it compiles of the modules that are loaded from here on, so that the next start need not
 * compile them again: in `v2ray-api` of `$XDG_CACHE_HOME`, by default `~/.cache`. Where that cannot be, everything works as before.
 *
 * Node's own place for it, of a name that everybody knows in a folder that everybody may write to, is none for a server: it
 * would run what somebody else has put there. `NODE_COMPILE_CACHE` and `NODE_DISABLE_COMPILE_CACHE` mean what they mean to Node.
 *
 * https://nodejs.org/api/module.html#module-compile-cache
 */
export function keepCompiled(env: Readonly<Record<string, string | undefined>>): void {
  const enable: unknown = Reflect.get(nodeModule, "enableCompileCache");
  if (typeof enable !== "function" || env["NODE_DISABLE_COMPILE_CACHE"] !== undefined) return;
  const folder = join(env["XDG_CACHE_HOME"] ?? join(env["HOME"] ?? homedir(), ".cache"), "v2ray-api");
  if (isAbsolute(folder) && isOurs(folder)) Reflect.apply(enable, undefined, [folder]);
}

/** Whether the folder is there, made if need be, and nobody else may write to it. */
function isOurs(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    // Windows has neither.
    return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
  } catch {
    return false;
  }
}

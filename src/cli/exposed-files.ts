import { stat } from "node:fs/promises";
import { secretsOf } from "../config/api-secrets.js";
import type { Config } from "../config/config.js";

/** The paths of the files that nobody else should read: the API's private key, and the config if it has a key or a secret in it. */
export function secretFilesOf(path: string, { experimental: { v2ray_api: api } }: Config): readonly string[] {
  const { enabled, key, key_path: keyPath } = api.tls;
  const isSecret = secretsOf(api).length > 0 || (enabled && key !== undefined);
  return [...(isSecret ? [path] : []), ...(enabled && keyPath !== undefined ? [keyPath] : [])];
}

export interface ExposedFilesOptions {
  /** Who we are; `undefined` where files have no such modes, as on Windows. Default: the user of this process. */
  readonly uid?: number | undefined;
}

/**
 * Says of files with secrets that others can read them, a line each.
 *
 * A file of ours is to be read by nobody else. One of somebody else's, which we read as a member of its group, has to be
 * readable by that group.
 */
export async function findExposedFiles(
  paths: readonly string[],
  { uid = process.geteuid?.() }: ExposedFilesOptions = {},
): Promise<readonly string[]> {
  if (uid === undefined) return [];
  const lines: string[] = [];
  for (const path of paths) {
    // Whoever needs a file that is not there says so.
    const found = await stat(path).catch(() => undefined);
    // A pipe (`-c <(…)`) is read once.
    if (found?.isFile() !== true) continue;
    const isOurs = found.uid === uid;
    const exposed = found.mode & (isOurs ? 0o077 : 0o007);
    if (exposed === 0) continue;
    const mode = (found.mode & 0o777).toString(8).padStart(4, "0");
    const who = (exposed & 0o007) === 0 ? "its group" : "everybody on this machine";
    const remedy = `chmod ${isOurs ? "600" : "o="} ${JSON.stringify(path)}`;
    lines.push(`${JSON.stringify(path)} has secrets in it and is open to ${who} (mode ${mode}): ${remedy}`);
  }
  return lines;
}

import { readFile } from "node:fs/promises";
import { ConfigError } from "./config-error.js";
import type { Config } from "./config.js";
import { parseConfig } from "./parse-config.js";

/** How {@link readConfig} reads. */
export interface ReadConfigOptions {
  /** Ends the reading early; the promise is then rejected with its reason. Default: never. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a config from a file of UTF-8 text; see {@link parseConfig} for what stands in it.
 *
 * @throws ConfigError with everything that is wrong, also if the file cannot be read; then `cause` is the system's
 * error.
 */
export async function readConfig(path: string, { signal }: ReadConfigOptions = {}): Promise<Config> {
  return parseConfig(decode(path, await readBytes(path, signal)));
}

async function readBytes(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    return await readFile(path, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw fileError(`cannot read ${JSON.stringify(path)}: ${reasonOf(error)}`, error);
  }
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw fileError(`${JSON.stringify(path)} is not UTF-8 text`, error);
  }
}

function fileError(message: string, cause: unknown): ConfigError {
  return new ConfigError([{ path: "", message, offset: 0, length: 0 }], { cause });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reason = "code" in error ? reasons.get(error.code) : undefined;
  return reason ?? error.message;
}

const reasons: ReadonlyMap<unknown, string> = new Map([
  ["ENOENT", "there is no such file"],
  ["ENOTDIR", "a part of its path is not a directory"],
  ["EACCES", "permission is denied"],
  ["EPERM", "permission is denied"],
  ["EISDIR", "it is a directory, not a file"],
]);

import type { Config } from "../config/config.js";
import { findExposedFiles, secretFilesOf } from "./exposed-files.js";
import { findShortSecrets } from "./short-secrets.js";

/** What is unwise about a config that is right, and about its files, a line each. No line has a secret in it. */
export async function findWarnings(path: string, config: Config): Promise<readonly string[]> {
  return [...(await findExposedFiles(secretFilesOf(path, config))), ...findShortSecrets(config)];
}

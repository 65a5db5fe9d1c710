import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { rootPath } from "./cli.js";

/** The code blocks of README in that language that have those texts in them, one each, in the order of README. */
export async function snippetsWith(language: string, ...texts: readonly string[]): Promise<string> {
  const snippets = (await codeBlocks(language)).filter((code) => texts.some((text) => code.includes(text)));
  assert.equal(snippets.length, texts.length);
  return snippets.join("\n");
}

/** README's code blocks in that language. */
export async function codeBlocks(language: string): Promise<readonly string[]> {
  const readme = await readFile(join(rootPath, "README.md"), "utf8");
  return Array.from(readme.matchAll(/^```(\w*)\n(.*?)\n```$/gms))
    .filter(([, name]) => name === language)
    .map(([, , code = ""]) => code);
}

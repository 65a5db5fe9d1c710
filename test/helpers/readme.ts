import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { rootPath } from "./cli.js";

/** The code block of README in that language that has that text in it, of which there is one. */
export async function snippetWith(language: string, text: string): Promise<string> {
  const snippets = (await codeBlocks(language)).filter((code) => code.includes(text));
  assert.equal(snippets.length, 1);
  return snippets.join("");
}

/** README's code blocks in that language. */
export async function codeBlocks(language: string): Promise<readonly string[]> {
  const readme = await readFile(join(rootPath, "README.md"), "utf8");
  return Array.from(readme.matchAll(/^```(\w*)\n(.*?)\n```$/gms))
    .filter(([, name]) => name === language)
    .map(([, , code = ""]) => code);
}

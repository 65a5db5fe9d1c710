import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The text that packages name as theirs and do not bring along. */
const apache = readFileSync(new URL("apache-2.0.txt", import.meta.url), "utf8").trim();

/**
 * Who wrote what is built into the command, and on which terms it may be passed on: of each package its license, and what
 * the files of it that are in the command say of their authors where the license does not.
 *
 * @param {readonly string[]} modules - The paths of the modules that are built in.
 * @returns {string}
 * @throws {Error} if a package has no license that can be passed on.
 */
export function formatNotices(modules) {
  const packages = new Map();
  for (const module of [...modules].sort()) {
    const [, folder] = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(module) ?? [];
    if (folder !== undefined) packages.set(folder, [...(packages.get(folder) ?? []), module]);
  }
  const parts = Array.from(packages, ([folder, files]) => formatPackage(folder, files));
  return [
    "The command v2ray-api has parts of these packages built in.\n",
    ...parts,
    `${rule}Apache License, where a package above is under it\n\n${apache}\n`,
  ].join("\n");
}

const rule = `${"-".repeat(80)}\n`;

function formatPackage(folder, files) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice|thirdparty)/i.test(file))
    .map((file) => readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n").trim());
  const headers = new Set(files.map(readCopyright).filter((header) => header !== undefined));
  // An Apache License comes once, for all, and its packages have their authors in each file.
  if (texts.length === 0 && !(/^\(?Apache-2\.0\b/.test(license) && headers.size > 0)) {
    throw new Error(`${name} has no license beside its files`);
  }
  return [`${rule}${name} ${version} (${license})`, ...texts, ...headers].join("\n\n").trimEnd() + "\n";
}

/** The comment that a file begins with, if it is about copyright. */
function readCopyright(file) {
  if (!existsSync(file)) return undefined;
  const lines = readFileSync(file, "utf8").split("\n");
  const text = lines
    .slice(
      0,
      lines.findIndex((line) => !line.startsWith("//")),
    )
    .map((line) => line.replace(/^\/\/ ?/, ""))
    .join("\n")
    // A compiler puts the next comment right behind it.
    .replace(/^(limitations under the License\.)\n[^]*/m, "$1");
  return /copyright/i.test(text) ? text.trim() : undefined;
}

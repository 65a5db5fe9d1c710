// Runs the compiled tests with Node's own runner: all of them, or only some folders of test/.
//
//   node scripts/test.mjs [--only FOLDER]... [--without FOLDER]... [--node PATH] [--reporter NAME]
//
// (`node --test` itself knows no globs before Node 21.)
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    without: { type: "string", multiple: true, default: [] },
    node: { type: "string", default: process.execPath },
    reporter: { type: "string", default: "spec" },
  },
});

const root = join("build", "test");
/**
 * Folders whose tests each want a process: because they start others, measure this one, or end it. Of all others so many
 * files share one, since that takes half a second to start, and most files less. After each it is looked whether a socket was left
 * open.
 */
const lonelyFolders = ["attacks", "bench", "contract", "e2e", "endurance", "peers"];
const sharingCount = 12;
const helper = join(root, "helpers", "leftovers.js");
const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".test.js"))
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((file) => isWanted(relative(root, file).split(sep, 1).join("")))
  .sort();
if (files.length === 0) throw new Error(`no test was found in ${root}`);

const options = [
  "--enable-source-maps",
  "--test",
  // Node's own default leaves a processor idle: half of them, where there are two.
  `--test-concurrency=${availableParallelism()}`,
  `--test-reporter=${values.reporter}`,
];
const runner = spawn(values.node, [...options, ...withSharing(files)], { stdio: "inherit" });
runner.on("exit", (code) => {
  process.exitCode = code ?? 1;
});

function folderOf(file) {
  return relative(root, dirname(file)).split(sep).join("/");
}

/** Puts a module that imports them all in the place of files that share a process. */
function withSharing(all) {
  const byFolder = new Map();
  for (const file of all) byFolder.set(folderOf(file), [...(byFolder.get(folderOf(file)) ?? []), file]);
  mkdirSync(join("build", "shared"), { recursive: true });
  return [...byFolder].flatMap(([folder, own]) => {
    if (lonelyFolders.includes(folder)) return own;
    return Array.from({ length: Math.ceil(own.length / sharingCount) }, (_, index) => {
      const module = join("build", "shared", `${folder.replaceAll("/", "-")}-${index + 1}.test.js`);
      const shared = own.slice(index * sharingCount, (index + 1) * sharingCount);
      const imports = shared.map(
        (file) => `await import(${toUrl(file)});\nassertNothingLeft("${relative(root, file)}");\n`,
      );
      writeFileSync(module, `import { assertNothingLeft } from ${toUrl(helper)};\n${imports.join("")}`);
      return module;
    });
  });
}

function toUrl(file) {
  return JSON.stringify(pathToFileURL(resolve(file)).href);
}

function isWanted(folder) {
  return (values.only.length === 0 || values.only.includes(folder)) && !values.without.includes(folder);
}

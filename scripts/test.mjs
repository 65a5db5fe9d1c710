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
/** Their tests open no sockets, and take less time than a process takes to start: each folder is run in one. */
const sharingFolders = ["cli", "config", "proxy/rules", "stats"];
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

/** Puts a module that imports them all in the place of a sharing folder's files. */
function withSharing(all) {
  const shared = sharingFolders.flatMap((folder) => {
    const own = all.filter((file) => folderOf(file) === folder);
    if (own.length === 0) return [];
    const module = join("build", "shared", `${folder.replaceAll("/", "-")}.test.js`);
    mkdirSync(join("build", "shared"), { recursive: true });
    const imports = own.map((file) => `import ${JSON.stringify(pathToFileURL(resolve(file)).href)};\n`);
    writeFileSync(module, imports.join(""));
    return [module];
  });
  return [...shared, ...all.filter((file) => !sharingFolders.includes(folderOf(file)))];
}

function isWanted(folder) {
  return (values.only.length === 0 || values.only.includes(folder)) && !values.without.includes(folder);
}

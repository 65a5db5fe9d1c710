import assert from "node:assert/strict";
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { cliPath, rootPath } from "./cli.js";
import { runProgram } from "./program.js";
import { TempDir } from "./temp-dir.js";

/**
 * Writes the URL of each module that is resolved to a file, a line each. Node has two ways to be told of them; the older
 * one, whose hooks run in a thread of their own, is all that Node 20 has, and will not be in later ones. It says nothing of what
 * require() loads.
 */
const preload = `
import { appendFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { pathToFileURL } from "node:url";

const log = %LOG%;
const hooks = \`
  import { appendFileSync } from "node:fs";
  export async function resolve(specifier, context, next) {
    const resolved = await next(specifier, context);
    appendFileSync(\${JSON.stringify(log)}, resolved.url + "\\\\n");
    return resolved;
  }
\`;
if (nodeModule.registerHooks === undefined) {
  nodeModule.register("data:text/javascript," + encodeURIComponent(hooks));
  const { _extensions: loaders } = nodeModule.default;
  const load = loaders[".js"];
  loaders[".js"] = (module, path) => {
    appendFileSync(log, pathToFileURL(path).href + "\\n");
    load(module, path);
  };
} else {
  nodeModule.registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      appendFileSync(log, resolved.url + "\\n");
      return resolved;
    },
  });
}
`;

/** The URLs of the modules that a program loads which imports that name of that module, each once. */
export async function modulesOf(specifier: string, name: string): Promise<readonly string[]> {
  // A program that is evaluated stands in its working directory: inside the package, where its name leads to it.
  const program = `import { ${name} } from ${JSON.stringify(specifier)};`;
  return modulesOfNode(["--input-type=module", "--eval", program]);
}

/**
 * The URLs of the modules that a command of the command line loads, which is to exit with 0, each once: those of src/ and of
 * packages, of which its files are made.
 */
export async function modulesOfCommand(...args: readonly string[]): Promise<readonly string[]> {
  return (await modulesOfNode([cliPath, ...args])).flatMap(sourcesOf);
}

async function modulesOfNode(nodeArgs: readonly string[]): Promise<readonly string[]> {
  const folder = new TempDir();
  try {
    const watched = watchModules(folder);
    const { code, stderr } = await runProgram(process.execPath, [...watched.nodeArgs, ...nodeArgs], {
      cwd: rootPath,
    });
    assert.equal(code, 0, stderr);
    return watched.loaded();
  } finally {
    folder[Symbol.dispose]();
  }
}

/** What tells of the modules of a process that is started with these arguments of Node. */
export interface WatchedModules {
  readonly nodeArgs: readonly string[];
  /** The URLs of those that it has loaded up to now, each once. */
  loaded(): readonly string[];
}

/** Watches which modules a process loads; it writes them into that folder. */
export function watchModules(folder: TempDir): WatchedModules {
  const log = folder.write("modules.txt", "");
  const hook = folder.write(
    "preload.mjs",
    preload.replace("%LOG%", () => JSON.stringify(log)),
  );
  return {
    nodeArgs: ["--import", pathToFileURL(hook).href],
    loaded: () => [...new Set(readFileSync(log, "utf8").trimEnd().split("\n"))],
  };
}

/** Of a file that the command is made of the modules that were built into it; of another one itself. */
export function sourcesOf(url: string): readonly string[] {
  if (!isIn("dist/cli")(url)) return [url];
  // What the bundler adds of its own has no source.
  if (url.endsWith("/rolldown-runtime.js")) return [];
  const { sources } = JSON.parse(readFileSync(new URL(`${url}.map`), "utf8")) as {
    readonly sources: readonly string[];
  };
  return sources.map((source) => new URL(source, url).href);
}

/** The package of a dependency's module. */
export function packageOf(url: string): string | undefined {
  return /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
}

/** Whether a module is in that folder of ours. */
export function isIn(folder: string): (url: string) => boolean {
  const start = pathToFileURL(realpathSync(join(rootPath, folder))).href;
  return (url) => url.startsWith(`${start}/`);
}

// Writes docs/api/ of the doc comments in src: a page for each entry point that package.json exports, and an index.
//
// Fails if an export, or a member of one, has no doc comment, names a type that is not exported, links to nothing, or has a
// tag that the pages have no place for.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Application, LogLevel } from "typedoc";
import { findFaults, formatApiReference } from "./api-reference.mjs";

const folder = join("docs", "api");

const { name, exports } = JSON.parse(readFileSync("package.json", "utf8"));
/** The entry points that have a source in src, each with its name for those who import it. */
const entryPoints = Object.entries(exports)
  .map(([path, { types = "" }]) => ({
    specifier: path.replace(".", name),
    source: `src/${/^\.\/dist\/(.*)\.d\.ts$/.exec(types)?.[1]}.ts`,
  }))
  .filter(({ source }) => existsSync(source));

const app = await Application.bootstrap({
  // What several of them export is told with the first one here: better with a small one than with the one that has all.
  entryPoints: entryPoints.map(({ source }) => source).reverse(),
  alwaysCreateEntryPointModule: true,
  tsconfig: "tsconfig.build.json",
  readme: "none",
  sort: ["source-order"],
  excludeExternals: true,
  excludePrivate: true,
  disableSources: true,
  validation: { notExported: true, invalidLink: true },
  logLevel: LogLevel.Warn,
});
const project = await app.convert();
if (project !== undefined) {
  app.validate(project);
  const modules = entryPoints.flatMap(({ specifier, source }) => {
    const module = project.children.find((child) => child.name === specifier);
    if (module === undefined)
      app.logger.error(`${source} does not begin with a comment that says @module ${specifier}`);
    return module ?? [];
  });
  for (const fault of findFaults(modules)) app.logger.error(fault);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of formatApiReference(modules)) writeFileSync(join(folder, file), text);
}
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1;

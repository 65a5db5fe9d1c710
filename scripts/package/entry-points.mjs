import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { run } from "./run.mjs";

/** As strict as a user's may be: the declarations of the package, and all that they lead to, are compiled with it. */
const compilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  module: "nodenext",
  target: "es2023",
  types: ["node"],
  typeRoots: [resolve("node_modules", "@types")],
  noEmit: true,
};

/** What a user's own code may say and may not, so that the types are not all `any`. */
const use = `
import { Socket } from "node:net";
import { type ConnectionMetadata, CounterStore, StatsTracker } from "v2ray-api/stats";
import { type QueryStatsResponse, StatsService } from "v2ray-api/stats-service";

export function count(socket: Socket, metadata: ConnectionMetadata): Socket {
  return new StatsTracker(new CounterStore(), { users: ["alice"] }).routedConnection(socket, metadata);
}
export function sum({ stat }: QueryStatsResponse): bigint {
  return stat.reduce((bytes, { value }) => bytes + value, 0n);
}
export const service: string = StatsService.typeName;
// @ts-expect-error
new CounterStore().counter("user>>>alice>>>traffic>>>uplink");
`;

/**
 * Checks of the package that is installed in a folder that each entry point can be imported and compiled, and exports what
 * docs/api says.
 */
export async function checkEntryPoints(folder) {
  const installed = join(folder, "node_modules", "v2ray-api");
  const { name, exports } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  const sources = [use];
  for (const [path, target] of Object.entries(exports)) {
    const specifier = path.replace(".", name);
    const attributes = target.types === undefined ? ' with { type: "json" }' : "";
    const program = `import * as entry from "${specifier}"${attributes}; console.log(Object.keys(entry).join(" "))`;
    const node = ["--no-warnings", "--input-type=module", "--eval", program];
    const values = (await run(process.execPath, node, { cwd: folder })).trim().split(" ");
    const documented = readDocumented(join(installed, "docs", "api"), specifier);
    if (documented === undefined) continue;
    assert.deepEqual(new Set(values), new Set(documented.values), specifier);
    sources.push(`export type { ${documented.names.join(", ")} } from "${specifier}";\n`);
  }
  await compile(folder, sources);
}

/** The names that the page of an entry point lists, if it has one, and those of them that are more than types. */
function readDocumented(folder, specifier) {
  const page = join(folder, `${specifier.split("/").at(-1)}.md`);
  if (!existsSync(page)) return undefined;
  const [list] = readFileSync(page, "utf8").split("\n## ", 1);
  const told = Array.from(list.matchAll(/^- \[`(\w+)`\]\(([\w-]+\.md)?#/gm), ([, name, other]) => {
    const text = readFileSync(other === undefined ? page : join(folder, other), "utf8");
    const [, keyword] = new RegExp(`^## ${name}\\n+\`\`\`ts\\n(\\w+)`, "m").exec(text);
    return { name, isType: keyword === "interface" || keyword === "type" };
  });
  return {
    names: told.map(({ name }) => name),
    values: told.filter(({ isType }) => !isType).map(({ name }) => name),
  };
}

async function compile(folder, sources) {
  const project = join(folder, "consumer");
  mkdirSync(project);
  sources.forEach((source, index) => writeFileSync(join(project, `${index}.mts`), source));
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.mts"] }));
  await run(process.execPath, [resolve("node_modules", "typescript", "bin", "tsc"), "-p", project]);
}

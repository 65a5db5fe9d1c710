/*
 * Makes the command out of src/cli/: dist/cli/main.js, and beside it what its commands load, with all packages of which
 * they use something built in. A command that is to be there at once has no time to look for hundreds of modules. The library is not
 * touched: dist/index.js and the other entry points are what tsc makes of each file.
 *
 *   node scripts/build-command.mjs
 *
 * What names things stays as it was written, so that a stack trace says something, and there are source maps for the
 * rest (`node --enable-source-maps`).
 */
import { writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { formatNotices } from "./command/notices.mjs";

const folder = join("dist", "cli");

const bundle = await rolldown({
  input: { main: join("src", "cli", "main.ts") },
  platform: "node",
  // What jsonc-parser and others have for CommonJS asks for its parts in a way that no bundler sees.
  resolve: { mainFields: ["module", "main"] },
  onwarn: (warning) => {
    throw new Error(warning.message);
  },
});
const { output } = await bundle.write({
  dir: folder,
  // Node begins with such modules sooner, and takes of its own only what is asked for: who imports node:http has it load
  // all that fetch() needs as well.
  format: "cjs",
  cleanDir: true,
  sourcemap: true,
  chunkFileNames: "[name].js",
  // Each command loads its own part. These are the large ones that several have in common, by names of their own.
  codeSplitting: {
    groups: [
      { name: "re2js", test: /\/node_modules\/re2js\// },
      { name: "zod", test: /\/node_modules\/zod\// },
      { name: "connect", test: /\/node_modules\/(@bufbuild|@connectrpc)\/|\/gen\//, minShareCount: 2 },
    ],
  },
  // The copyright lines of the packages are in the notices.
  comments: { legal: true, annotation: false, jsdoc: false },
});
const chunks = output.filter(({ type }) => type === "chunk");
for (const { fileName, imports } of chunks) {
  const packages = imports.filter(
    (name) => !isBuiltin(name) && !chunks.some((chunk) => chunk.fileName === name),
  );
  if (packages.length > 0) throw new Error(`${fileName} still imports ${packages.join(", ")}`);
}
const modules = chunks.flatMap(({ moduleIds }) => moduleIds);
writeFileSync(join(folder, "package.json"), '{ "type": "commonjs" }\n');
writeFileSync(join(folder, "THIRD-PARTY-NOTICES.txt"), formatNotices(modules));

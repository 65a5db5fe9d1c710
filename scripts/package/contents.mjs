import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What the package holds, and nothing else: each file fits one of these, and for each of these there is a file. */
const expected = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|CONTRIBUTING\.md|SECURITY\.md|config\.schema\.json)$/,
  /^dist\/.+\.js$/,
  /^dist\/.+\.d\.ts$/,
  /^dist\/.+\.js\.map$/,
  /^dist\/cli\/(THIRD-PARTY-NOTICES\.txt|package\.json)$/,
  /^gen\/.+_pb\.(js|d\.ts)$/,
  /^proto\/.+\.proto$/,
  /^examples\/.+\.json$/,
  /^examples\/(panel\.html|v2ray-api\.service)$/,
  /^docs\/(benchmarks|configuration)\.md$/,
  /^docs\/api\/.+\.md$/,
];

/** Checks which files an installed package has, and that they have all that they need. */
export function checkContents(folder) {
  const files = listFiles(folder);
  assert.deepEqual(
    files.filter((file) => !expected.some((pattern) => pattern.test(file))),
    [],
    "these do not belong there",
  );
  assert.deepEqual(
    expected.filter((pattern) => !files.some((file) => pattern.test(file))),
    [],
    "of these there is none",
  );

  const modules = listFiles("src")
    .filter((file) => !file.startsWith("cli/"))
    .map((file) => join("dist", file.replace(/\.ts$/, "")));
  assert.deepEqual(
    files.filter((file) => file.startsWith("dist/") && !file.startsWith("dist/cli/")),
    modules.flatMap((module) => [`${module}.d.ts`, `${module}.js`, `${module}.js.map`]).sort(),
    "dist/ holds what is made of each file of src/, but for the command",
  );
  const ofCommand = files.filter((file) => /^dist\/cli\/.+\.js$/.test(file));
  assert.ok(ofCommand.includes("dist/cli/main.js"));
  assert.deepEqual(
    files.filter((file) => file.startsWith("dist/cli/")),
    [
      ...["dist/cli/THIRD-PARTY-NOTICES.txt", "dist/cli/package.json"],
      // What the bundler adds of its own has no source.
      ...ofCommand.flatMap((file) =>
        file.endsWith("/rolldown-runtime.js") ? [file] : [file, `${file}.map`],
      ),
    ].sort(),
    "dist/cli/ holds the command, a map of each of its files, and whose work is in it",
  );
  for (const file of files.filter((name) => name.endsWith(".map"))) {
    const { sources, sourcesContent = [] } = JSON.parse(readFileSync(join(folder, file), "utf8"));
    const contents = sourcesContent.filter((source) => typeof source === "string");
    assert.ok(sources.length > 0 && contents.length === sources.length, `${file} lacks a source`);
    assert.ok(sources.length === 1 || file.startsWith("dist/cli/"), `${file} is of several sources`);
  }
  for (const file of files.filter((name) => name.endsWith(".md"))) {
    const text = readFileSync(join(folder, file), "utf8");
    for (const [, link] of text.matchAll(/\]\((?![a-z]+:)([^)\s#]+)/g)) {
      assert.ok(existsSync(join(folder, dirname(file), link)), `${file} links to ${link}`);
    }
  }
}

/** The files of a folder, from A to Z, with slashes. */
function listFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

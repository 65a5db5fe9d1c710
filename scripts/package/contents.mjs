import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What the package holds, and nothing else: each file fits one of these, and for each of these there is a file. */
const expected = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|CONTRIBUTING\.md|SECURITY\.md|config\.schema\.json)$/,
  /^dist\/.+\.js$/,
  /^dist\/.+\.d\.ts$/,
  /^dist\/.+\.js\.map$/,
  /^gen\/.+_pb\.(js|d\.ts)$/,
  /^proto\/.+\.proto$/,
  /^examples\/.+\.json$/,
  /^examples\/(panel\.html|v2ray-api\.service)$/,
  /^docs\/configuration\.md$/,
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

  const modules = listFiles("src").map((file) => join("dist", file.replace(/\.ts$/, "")));
  assert.deepEqual(
    files.filter((file) => file.startsWith("dist/")),
    modules.flatMap((module) => [`${module}.d.ts`, `${module}.js`, `${module}.js.map`]).sort(),
    "dist/ holds what is made of each file of src/",
  );
  for (const file of files.filter((name) => name.endsWith(".map"))) {
    const { sources, sourcesContent = [] } = JSON.parse(readFileSync(join(folder, file), "utf8"));
    assert.deepEqual([sources.length, typeof sourcesContent[0]], [1, "string"], `${file} has no source`);
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

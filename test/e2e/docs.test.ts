import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { rootPath } from "../helpers/cli.js";

const files = [
  ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md"],
  ...readdirSync(join(rootPath, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

/** The text of a document, without its code. */
function proseOf(file: string): string {
  return readFileSync(join(rootPath, file), "utf8").replaceAll(/^```.*?^```$/gms, "");
}

/** The anchors of a document's headings, as forges make them: the second one of a name ends with `-1`. */
function anchorsOf(file: string): readonly string[] {
  const slugs = Array.from(proseOf(file).matchAll(/^#+ (.*)$/gm), ([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
  return slugs.map((slug, index) => {
    const count = slugs.slice(0, index).filter((earlier) => earlier === slug).length;
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/** Whether a link from a document leads to something: to a file, and to a heading in it if it says so. */
function leadsSomewhere(file: string, link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? file : join(dirname(file), path);
  return existsSync(join(rootPath, target)) && (anchor === undefined || anchorsOf(target).includes(anchor));
}

describe("the documents", () => {
  for (const file of files) {
    it(`${file} links to what there is`, () => {
      const links = Array.from(proseOf(file).matchAll(/\]\(([^)\s]+)\)/g), ([, link = ""]) => link);
      const inside = links.filter((link) => !/^[a-z]+:/.test(link));
      assert.deepEqual(
        inside.filter((link) => !leadsSomewhere(file, link)),
        [],
      );
    });
  }
});

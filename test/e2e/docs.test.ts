import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { rootPath } from "../helpers/cli.js";

const files = [
  ...["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"],
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

describe("the promises in SECURITY.md", () => {
  /** Of each row of the table: who it is about, and the tests that it names. */
  const rows = Array.from(proseOf("SECURITY.md").matchAll(/^\| (.+) \|$/gm), ([, row = ""]) =>
    row.split(" | "),
  )
    .filter((cells) => cells.length === 4)
    .slice(1)
    .map(([who = "", , , tests = ""]) => ({
      who: who.trim(),
      tests: Array.from(tests.matchAll(/`([^`]+)`/g), ([, name = ""]) => name),
    }))
    .filter(({ who }) => !who.startsWith("---"));

  it("are there", () => {
    assert.ok(rows.length >= 10, `${rows.length} rows`);
  });

  for (const { who, tests } of rows) {
    it(`have tests that there are: ${who}`, () => {
      assert.notDeepEqual(tests, []);
      const missing = tests.filter((name) => !existsSync(join(rootPath, "test", `${name}.test.ts`)));
      assert.deepEqual(missing, []);
    });
  }

  it("name every test of test/security", () => {
    const named = new Set(rows.flatMap(({ tests }) => tests));
    const files = readdirSync(join(rootPath, "test", "security"));
    const tests = files
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => `security/${name.slice(0, -8)}`);
    assert.deepEqual(
      tests.filter((name) => !named.has(name)),
      [],
    );
  });
});

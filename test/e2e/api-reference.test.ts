import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { rootPath } from "../helpers/cli.js";
import { runProgram, type ProgramResult } from "../helpers/program.js";
import { createTempDir } from "../helpers/temp-dir.js";

const io = { timeout: 30_000 };
const script = join(rootPath, "scripts", "generate-api.mjs");
const mark = '<!-- Made by "npm run generate" from the doc comments in src. -->';
const tsconfig = {
  compilerOptions: { module: "nodenext", strict: true, lib: ["es2023"], types: [], rootDir: "src" },
};

const small = `
/**
 * What counts.
 *
 * @module fixture/small
 */

/** What to count. More about it. */
export interface CountOptions {
  /** Where to begin. Default: 0. */
  readonly from?: number;
  /** Told of the count. Default: nobody is told. */
  onCounted?(count: number): void;
}

/**
 * A count. See {@link count}.
 *
 * A second paragraph.
 */
export class Count implements Iterable<number> {
  readonly #value = 0;
  /** How far it is. */
  get value(): number {
    return this.#value;
  }
  /** Counts one more, or as {@link CountOptions.from} says. */
  [Symbol.iterator](): Iterator<number> {
    throw new CountError();
  }
}

/** There is nothing to count. */
export class CountError extends Error {
  override readonly name = "CountError";
}

/**
 * Counts.
 *
 * @param items - What to count.
 * @returns how many there are.
 * @throws CountError if there is none.
 */
export function count<Item extends object>(items: readonly Item[], { from = 0 }: CountOptions = {}): number {
  return items.length + from;
}
`;

const large = `
/**
 * Everything.
 *
 * @module fixture
 */
export { count, Count, CountError, type CountOptions } from "./small.js";

/** Whether to count. */
export type Wish = "yes" | "no";
`;

const faulty = `
/**
 * Faults.
 *
 * @module fixture
 */

interface Hidden {
  readonly member: string;
}

export function bare(): void {}

export interface Half {
  readonly member: string;
}

/**
 * See {@link Nothing}.
 *
 * @remarks There is more to say.
 */
export class Told {
  constructor(hidden: Hidden) {}
}
`;

/** The pages of these, with ' for every backtick. */
const largePage = `# fixture

${mark}

Everything.

- ['Count'](small.md#count): A count.
- ['count'](small.md#count-1): Counts.
- ['CountError'](small.md#counterror): There is nothing to count.
- ['CountOptions'](small.md#countoptions): What to count.
- ['Wish'](#wish): Whether to count.

## Wish

'''ts
type Wish = "yes" | "no";
'''

Whether to count.
`;
const smallPage = `# fixture/small

${mark}

What counts.

- ['Count'](#count): A count.
- ['count'](#count-1): Counts.
- ['CountError'](#counterror): There is nothing to count.
- ['CountOptions'](#countoptions): What to count.

## Count

'''ts
class Count implements Iterable<number> {
  constructor();
  readonly value: number;
  [Symbol.iterator](): Iterator<number>;
}
'''

A count. See ['count'](#count-1).

A second paragraph.

- 'value': How far it is.
- '[Symbol.iterator]()': Counts one more, or as ['CountOptions.from'](#countoptions) says.

## count

'''ts
function count<Item extends object>(items: readonly Item[], options?: CountOptions): number;
'''

Counts.

- 'items': What to count.

Returns how many there are.

Throws ['CountError'](#counterror) if there is none.

## CountError

'''ts
class CountError extends Error { … }
'''

There is nothing to count.

## CountOptions

'''ts
interface CountOptions {
  readonly from?: number;
  onCounted?(count: number): void;
}
'''

What to count. More about it.

- 'from': Where to begin. Default: 0.
- 'onCounted()': Told of the count. Default: nobody is told.
`;

type Generated = ProgramResult & { readonly pages: Readonly<Record<string, string>> };

/** Runs the generator in a package of its own, with entry points of these sources. */
async function generate(t: TestContext, sources: Readonly<Record<string, string>>): Promise<Generated> {
  const folder = createTempDir(t);
  const exports = {
    ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
    "./small": { types: "./dist/small.d.ts", default: "./dist/small.js" },
    "./without-source": { types: "./gen/other.d.ts", default: "./gen/other.js" },
    "./package.json": "./package.json",
  };
  folder.write("package.json", JSON.stringify({ name: "fixture", type: "module", exports }));
  folder.write("tsconfig.build.json", JSON.stringify({ ...tsconfig, include: ["src"] }));
  mkdirSync(folder.join("src"));
  for (const [name, source] of Object.entries(sources)) folder.write(join("src", `${name}.ts`), source);
  const result = await runProgram(process.execPath, [script], { cwd: folder.path });
  const output = folder.join(join("docs", "api"));
  const names = existsSync(output) ? readdirSync(output) : [];
  const pages = names.map((name) => [name, readFileSync(join(output, name), "utf8")] as const);
  return { ...result, pages: Object.fromEntries(pages) };
}

describe("the generator of docs/api", () => {
  it("tells every export on the page of one entry point, and links there from the others", io, async (t) => {
    const { code, stderr, pages } = await generate(t, { index: large, small });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.deepEqual(Object.keys(pages).sort(), ["README.md", "fixture.md", "small.md"]);
    assert.equal(pages["fixture.md"], largePage.replaceAll("'", "`"));
    assert.equal(pages["small.md"], smallPage.replaceAll("'", "`"));
    assert.match(pages["README.md"] ?? "", /^- \[`fixture`\]\(fixture\.md\): Everything\.$/m);
    assert.match(pages["README.md"] ?? "", /^- \[`fixture\/small`\]\(small\.md\): What counts\.$/m);
  });

  it("fails for what has no doc comment, links to nothing, or names what is not exported", io, async (t) => {
    const { code, stderr } = await generate(t, { index: faulty, small: "export const answer = 42;\n" });
    assert.equal(code, 1);
    const complaints = [
      /fixture\.bare has no doc comment/,
      /fixture\.Half has no doc comment/,
      /fixture\.Half\.member has no doc comment/,
      /fixture\.Told\.constructor has no doc comment/,
      /fixture\.Told: @remarks is not written anywhere/,
      /Failed to resolve link to "Nothing" in comment for fixture\.Told/,
      /Hidden, defined in fixture\/src\/index\.ts, is referenced by fixture\.Told/,
      /src\/small\.ts does not begin with a comment that says @module fixture\/small/,
    ];
    for (const complaint of complaints) assert.match(stderr, complaint);
    assert.equal(stderr.match(/\bhas no doc comment/g)?.length, 4);
  });
});

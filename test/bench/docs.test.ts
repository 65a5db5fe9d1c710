import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { rootPath } from "../helpers/cli.js";
import { bars } from "./bars.js";
import { writeFigures } from "./docs.js";
import type { BenchRecord } from "./record.js";

const folder = join(rootPath, "docs");
const page = readFileSync(join(folder, "benchmarks.md"), "utf8");
const record = JSON.parse(readFileSync(join(folder, "benchmarks.json"), "utf8")) as BenchRecord;

describe("docs/benchmarks.md", () => {
  it("says what docs/benchmarks.json says", () => {
    assert.equal(writeFigures(page, record), page);
  });

  it("has a line for each bar, and a table for each measure of the record", () => {
    for (const { title } of bars) assert.ok(page.includes(`| ${title} `), title);
    for (const { title } of record.measures) assert.ok(page.includes(`### ${title}\n`), title);
  });
});

describe("writeFigures()", () => {
  const empty: BenchRecord = { ...record, measures: [] };

  it("leaves alone what is written by hand, on both sides", () => {
    const written = writeFigures(page, empty);
    const [head = "", , tail = ""] = page.split(/(?<=from here -->)[^]*(?=<!-- to here)|$/);
    assert.ok(head.length > 500 && written.startsWith(head));
    assert.ok(written.endsWith(page.slice(page.indexOf("<!-- to here -->"))));
    assert.equal(tail, "");
    assert.ok(!written.includes("### "));
    assert.equal(writeFigures(written, record), page);
  });

  it("needs the place to write to", () => {
    assert.throws(() => writeFigures("# Benchmarks\n", empty), /lacks/);
  });
});

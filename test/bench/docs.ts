import { formatBars } from "./bars.js";
import type { BenchRecord } from "./record.js";
import { formatMeasure, formatRun } from "./report.js";

const begin = "<!-- Made by npm run bench from docs/benchmarks.json: from here -->";
const end = "<!-- to here -->";

/** Puts a record's figures into the page about them, in place of those that it has; the rest of it stays. */
export function writeFigures(page: string, record: BenchRecord): string {
  const [head, tail] = [page.indexOf(begin), page.indexOf(end)];
  if (head < 0 || tail < head) throw new Error(`the page lacks "${begin}" and "${end}"`);
  return `${page.slice(0, head + begin.length)}\n\n${formatFigures(record)}\n${page.slice(tail)}`;
}

function formatFigures(record: BenchRecord): string {
  return [
    formatRun(record),
    "",
    "## The bars",
    "",
    formatBars(record),
    "",
    "## All figures",
    "",
    ...record.measures.map(formatMeasure),
  ].join("\n");
}

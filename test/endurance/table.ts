import type { RunResult } from "./run.js";

const heads = [
  "run",
  "what",
  "took",
  "RSS MiB before/peak/after",
  "heap MiB before/after",
  "descriptors before/after",
  "facts",
] as const;

/** The results in a table that reads well, and is one of Markdown; below it the figures of each run, and what is wrong. */
export function formatResults(results: readonly RunResult[]): string {
  const rows = [[...heads], ...results.map(toRow)];
  const widths = heads.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => lineOf(row.map((cell, column) => cell.padEnd(widths[column] ?? 0))));
  lines.splice(1, 0, lineOf(widths.map((width) => "-".repeat(width))));
  return [...lines, ...results.flatMap(notesOf)].map((line) => `${line}\n`).join("");
}

function toRow({ run, durationMs, before, after, facts }: RunResult): string[] {
  const broken = facts.filter(({ holds }) => !holds).length;
  return [
    run.name,
    run.amount,
    `${(durationMs / 1_000).toFixed(1)} s`,
    [before?.rssBytes, after?.peakRssBytes, after?.rssBytes].map(megabytes).join(" / "),
    [before?.heapBytes, after?.heapBytes].map(megabytes).join(" / "),
    [before, after].map((report) => report?.descriptorCount.toLocaleString("en-US") ?? "?").join(" / "),
    broken === 0 ? `all ${facts.length} hold` : `${broken} of ${facts.length} BROKEN`,
  ];
}

function notesOf({ run, figures, facts }: RunResult): string[] {
  const broken = facts.filter(({ holds }) => !holds);
  const notes = [...figures, ...broken.map(({ text }) => `BROKEN: ${text}`)];
  return notes.length === 0 ? [] : ["", `${run.name}:`, ...notes.map((note) => `- ${note}`)];
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? "?" : (bytes / 2 ** 20).toFixed(1);
}

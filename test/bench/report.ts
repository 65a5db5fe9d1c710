import { cpus } from "node:os";
import type { MeasureResult } from "./rounds.js";

/** What it was measured on. */
export function describeMachine(): string {
  const [cpu] = cpus();
  return `Node ${process.versions.node}, ${process.platform} ${process.arch}, ${cpus().length} × ${cpu?.model.trim() ?? "?"}`;
}

/** A measure's result as a heading and a table in Markdown, which can be read as it is. */
export function formatResult({ measure, roundCount, check, servers, missing }: MeasureResult): string {
  const [first] = servers;
  const header = ["server", ...measure.metrics.flatMap(({ title }) => [title, "ratio"])];
  const rows = servers.map(({ name, medians, ratios }) => [
    name,
    ...measure.metrics.flatMap(({ digits }, metric) => [
      (medians[metric] ?? NaN).toFixed(digits),
      name === first?.name ? "" : formatRatio(ratios[metric] ?? NaN),
    ]),
  ]);
  const notes = [
    `Medians of ${roundCount} rounds.`,
    ...(check === undefined ? [] : [`${check}.`]),
    ...missing.map((line) => `Left out: ${line}.`),
  ];
  return [`### ${measure.title}`, "", ...formatTable([header, ...rows]), "", notes.join(" "), ""].join("\n");
}

/** The results for a program to read, and the record. */
export function toRecord(results: readonly MeasureResult[]): object {
  return {
    machine: describeMachine(),
    measures: results.map(({ measure, roundCount, check, servers, missing }) => ({
      ...{ name: measure.name, title: measure.title, roundCount, check, missing },
      servers: servers.map(({ name, medians, ratios }) => ({
        name,
        metrics: measure.metrics.map(({ title }, metric) => ({
          ...{ title, median: medians[metric], ratio: ratios[metric] },
        })),
      })),
    })),
  };
}

/** Ours against another's: `0.25×` is a quarter of what the other takes, or does. */
function formatRatio(ratio: number): string {
  return Number.isFinite(ratio) ? `${ratio.toFixed(ratio < 0.1 ? 3 : 2)}×` : "–";
}

function formatTable(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return rows.flatMap((row, index) => (index === 0 ? [line(row), line(rule)] : [line(row)]));
}

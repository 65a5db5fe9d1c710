import { formatTable } from "./markdown-table.js";
import type { BenchRecord, MeasureRecord, ValueRecord } from "./record.js";

/** What it was measured on. */
export function formatRun({ date, machine, versions, scale }: Omit<BenchRecord, "measures">): string {
  const { cpu, cores, memoryGiB, kernel } = machine;
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `Measured on ${date}, on ${cores} × ${cpu} with ${memoryGiB} GiB of memory, ${kernel}.`,
    `With ${programs.join(", ")}.`,
    ...(scale === 1 ? [] : [`A look only: loads and sizes were ${scale} of what is said below.`]),
  ].join("\n");
}

/** A measure's record as a heading and a table in Markdown, which can be read as it is. */
export function formatMeasure({
  title,
  name,
  roundCount,
  check,
  missing,
  metrics,
  servers,
}: MeasureRecord): string {
  const [first] = servers;
  const header = [
    "server",
    ...metrics.flatMap((metric) => (metric.isAlone === true ? [metric.title] : [metric.title, "ratio"])),
  ];
  const rows = servers.map((server) => [
    server.name,
    ...metrics.flatMap(({ digits, isAlone }, index) => {
      const { median, ratio }: ValueRecord = server.values[index] ?? { samples: [] };
      const figure = formatFigure(median, digits);
      return isAlone === true ? [figure] : [figure, server === first ? "" : formatRatio(ratio)];
    }),
  ]);
  const notes = [
    ...(roundCount === 0
      ? []
      : [`\`${name}\`: medians of ${roundCount} ${roundCount === 1 ? "round" : "rounds"}.`]),
    ...(check === undefined ? [] : [`${check}.`]),
    ...missing.map((line) => `Left out: ${line}.`),
  ];
  const table = rows.length === 0 ? [] : [...formatTable([header, ...rows]), ""];
  return [`### ${title}`, "", ...table, notes.join(" "), ""].join("\n");
}

/** `–` where there is none. */
export function formatFigure(value: number | undefined, digits: number): string {
  return value === undefined ? "–" : value.toFixed(digits);
}

/** Ours against another's: `0.25×` is a quarter of what the other takes, or does. */
export function formatRatio(ratio: number | undefined): string {
  return ratio === undefined ? "–" : `${ratio.toFixed(ratio < 0.1 ? 3 : 2)}×`;
}

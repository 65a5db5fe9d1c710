import type { Traffic } from "../client/traffic-rates.js";
import type { StatScope } from "../stats/stat-name.js";
import { formatByteSize } from "./byte-size.js";
import { toPrintable } from "./printable.js";

/** What the last column of a table is called. */
export const titles = { user: "User", inbound: "Inbound", outbound: "Outbound" } as const satisfies Record<
  StatScope,
  string
>;

export interface TopTableOptions {
  /** Whether it is for a terminal with colours. Default: `false`. */
  readonly coloured?: boolean;
  /** How many lines there is room for. Default: any number. */
  readonly maxLines?: number;
}

/** Escape codes of what a terminal shows. */
const styles = { heading: "7", up: "32", down: "36", idle: "2", total: "1" } as const;

const width = 12;

/**
 * Writes what everyone moves, a line each, between a heading and the sum of all.
 *
 * @param title - Of the last column.
 */
export function formatTopTable(
  title: string,
  traffic: readonly Traffic[],
  { coloured = false, maxLines = Number.POSITIVE_INFINITY }: TopTableOptions = {},
): readonly string[] {
  const paint = (style: keyof typeof styles, text: string): string =>
    coloured ? `\u001b[${styles[style]}m${text}\u001b[0m` : text;
  const heading = ["Up/s", "Down/s", "Up", "Down"].map((text) => text.padEnd(width)).join("") + title;
  // The heading, the sum, and an empty line before it.
  const shown = traffic.slice(0, Math.max(0, maxLines - 3));
  const hidden = traffic.length - shown.length;
  const lines = shown.map((row) => {
    const { upRate = 0n, downRate = 0n } = row;
    if (upRate + downRate === 0n) return paint("idle", formatRow(row, toPrintable(row.tag)));
    const [up, down, ...others] = cellsOf(row);
    return [paint("up", up), paint("down", down), ...others, toPrintable(row.tag)].join("");
  });
  const label = `all ${traffic.length}${hidden === 0 ? "" : `, ${hidden} not shown`}`;
  return [paint("heading", heading), ...lines, "", paint("total", formatRow(sumOf(traffic), label))];
}

function formatRow(row: Omit<Traffic, "tag">, name: string): string {
  return cellsOf(row).join("") + name;
}

function cellsOf({
  upRate,
  downRate,
  up,
  down,
}: Omit<Traffic, "tag">): readonly [string, string, string, string] {
  const rate = (value: bigint | undefined): string =>
    (value === undefined ? "-" : formatByteSize(value)).padEnd(width);
  return [rate(upRate), rate(downRate), formatByteSize(up).padEnd(width), formatByteSize(down).padEnd(width)];
}

function sumOf(traffic: readonly Traffic[]): Omit<Traffic, "tag"> {
  const sum = (values: readonly bigint[]): bigint => values.reduce((total, value) => total + value, 0n);
  const rate = (values: readonly (bigint | undefined)[]): bigint | undefined => {
    const known = values.filter((value) => value !== undefined);
    return known.length === 0 && values.length > 0 ? undefined : sum(known);
  };
  return {
    up: sum(traffic.map(({ up }) => up)),
    down: sum(traffic.map(({ down }) => down)),
    upRate: rate(traffic.map(({ upRate }) => upRate)),
    downRate: rate(traffic.map(({ downRate }) => downRate)),
  };
}

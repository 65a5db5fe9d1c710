import type { Stat } from "../client/merge-stats.js";
import { formatByteSize } from "./byte-size.js";
import { formatRows } from "./rows.js";

/** Writes counters as `v2ray api stats` does: by name, with their sum below; nothing where there are none. */
export function formatStatsTable(stats: readonly Stat[]): string {
  if (stats.length === 0) return "";
  const rows = sortByName(stats).map(({ name, value }) => [formatByteSize(value), name]);
  const total = stats.reduce((sum, { value }) => sum + value, 0n);
  return `${formatRows(["Value", "Name"], rows, [12])}\nTotal: ${formatByteSize(total)}\n`;
}

/** From A to Z by the names' bytes, as Go compares them. */
export function sortByName(stats: readonly Stat[]): readonly Stat[] {
  return stats
    .map((stat) => ({ stat, bytes: Buffer.from(stat.name) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ stat }) => stat);
}

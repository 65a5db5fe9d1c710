import { formatTable } from "./markdown-table.js";
import type { BenchRecord, MeasureRecord, ValueRecord } from "./record.js";
import { formatFigure, formatRatio } from "./report.js";

/** What a figure is to be: our own, or ours against a peer's. */
export interface Bar {
  readonly title: string;
  readonly measure: string;
  readonly metric: string;
  /** The server to compare with. Default: none, our own figure is meant. */
  readonly peer?: string;
  readonly atMost?: number;
  readonly atLeast?: number;
  /** Whether the largest figure of all rounds is meant: it is about what is not to happen at all. Default: the median. */
  readonly isWorst?: boolean;
}

const v2rays = ["V2Ray, all stats", "V2Ray, user stats", "V2Ray, no stats"] as const;
const bulks = [
  ["bulk-up", "Bulk up"],
  ["bulk-down", "Bulk down"],
  ["bulk-down-8", "Bulk down, eight connections"],
] as const;
const grpcJs = "@grpc/grpc-js";

/** What this project wants to come to. Without a bound, a figure is only stated. */
export const bars: readonly Bar[] = [
  ...bulks.flatMap(([measure, title]) =>
    v2rays.flatMap((peer, index): Bar[] => [
      bar(`${title}, CPU`, measure, "CPU s/GB", peer, { atMost: [0.1, 0.35, 0.32][index] ?? 0 }),
      bar(`${title}, rate`, measure, "GB/s", peer, { atLeast: [4, 1.3, 1.3][index] ?? 0 }),
    ]),
  ),
  bar("Counting, CPU of bulk", "tracked-bulk", "CPU s/GB", "v2ray-api, nothing counted", { atMost: 1.05 }),
  bar(
    "Counting, CPU of a short connection",
    "tracked-short",
    "CPU µs/connection",
    "v2ray-api, nothing counted",
    {
      atMost: 1.05,
    },
  ),
  bar("Short connection, CPU", "short", "CPU µs/connection", "V2Ray, all stats", { atMost: 0.85 }),
  bar("Transfer of 2 MB, CPU", "transfers-2mb", "CPU ms/transfer", "V2Ray, all stats"),
  bar("Transfer of 8 MB, CPU", "transfers-8mb", "CPU ms/transfer", "V2Ray, all stats"),
  bar("UDP round trip, CPU", "udp", "CPU µs/round trip", "V2Ray, all stats", { atMost: 0.8 }),
  bar("UDP, lost of a burst of 64", "udp-bursts", "lost of 64", undefined, { atMost: 0, isWorst: true }),
  bar("Idle tunnel, RSS", "idle", "RSS KiB/tunnel", "V2Ray, all stats", { atMost: 0.5 }),
  bar("Idle tunnel, descriptors", "idle", "descriptors/tunnel", undefined, { atMost: 2 }),
  ...["1x1", "1x64", "8x8"].map((width) =>
    bar(`GetStats, CPU, ${width.replace("x", " × ")}`, `get-${width}`, "CPU µs/call", grpcJs, { atMost: 1 }),
  ),
  ...(
    [
      ["1k", 0.4, 0.25],
      ["10k", 0.25, 0.1],
      ["100k", 0.25, 0.06],
    ] as const
  ).flatMap(([size, v2ray, grpc]): Bar[] => [
    bar(`QueryStats of ${size}, CPU`, `query-${size}`, "CPU ms/call", "V2Ray", { atMost: v2ray }),
    bar(`QueryStats of ${size}, CPU`, `query-${size}`, "CPU ms/call", grpcJs, { atMost: grpc }),
  ]),
  bar("QueryStats of 1m, ms of CPU", "query-1m", "CPU ms/call"),
  bar("1 % of 100k by substring, CPU", "search", "substring, CPU ms/call", "V2Ray", { atMost: 0.5 }),
  bar("1 % of 100k by regexp, CPU against substring", "search", "regexp / substring", undefined, {
    atMost: 4,
  }),
  bar("… by one with groups", "search", "with groups / substring", undefined, { atMost: 4 }),
  bar("Longest stall beside queries, ms", "beside", "longest stall, ms", undefined, {
    atMost: 5,
    isWorst: true,
  }),
  bar("… of its own CPU, ms", "beside", "of its own CPU, ms", undefined, { atMost: 5, isWorst: true }),
  bar("Echo beside queries, p99 in ms", "beside", "echo p99, ms"),
  bar("New connection beside queries, p99 in ms", "beside", "connection p99, ms"),
  bar("GetStats beside queries, p99 in ms", "beside", "GetStats p99, ms"),
  bar("Counter of 1m, bytes of RSS", "memory", "bytes/counter", undefined, { atMost: 250 }),
  bar("… once all were queried", "memory", "bytes/counter once all were queried", undefined, { atMost: 250 }),
  bar("Idle API connection, KiB of RSS", "idle-api", "RSS KiB/connection"),
  bar("Start to the first answer", "start", "ms", grpcJs, { atMost: 1 }),
];

/** What became of a bar. */
export type Verdict = "met" | "missed" | "stated" | "not measured";

/** The figure that a bar is about, and whether it is what it is to be. */
export function judge(
  { measure, metric, peer, atMost, atLeast, isWorst = false }: Bar,
  measures: readonly MeasureRecord[],
): { readonly value: number | undefined; readonly verdict: Verdict } {
  const record = measures.find(({ name }) => name === measure);
  const index = record?.metrics.findIndex(({ title }) => title === metric) ?? -1;
  const server = record?.servers.find(({ name }, place) =>
    peer === undefined ? place === 0 : name === peer,
  );
  const figures = server?.values[index];
  const own = isWorst ? worstOf(figures) : figures?.median;
  const value = peer === undefined ? own : figures?.ratio;
  if (value === undefined) return { value, verdict: "not measured" };
  if (atMost === undefined && atLeast === undefined) return { value, verdict: "stated" };
  const isMet = value <= (atMost ?? Infinity) && value >= (atLeast ?? -Infinity);
  return { value, verdict: isMet ? "met" : "missed" };
}

function worstOf(figures: ValueRecord | undefined): number | undefined {
  return figures === undefined || figures.samples.length === 0 ? undefined : Math.max(...figures.samples);
}

/** All bars as a table in Markdown. */
export function formatBars({ measures }: Pick<BenchRecord, "measures">): string {
  const rows = bars.map((each) => {
    const { value, verdict } = judge(each, measures);
    const format = each.peer === undefined ? formatOwn : formatRatio;
    return [each.title, each.peer ?? "", format(value), formatBound(each, format), verdict];
  });
  return formatTable([["measure", "against", "measured", "bar", ""], ...rows], 2).join("\n");
}

function bar(
  title: string,
  measure: string,
  metric: string,
  peer?: string,
  bounds: Pick<Bar, "atMost" | "atLeast" | "isWorst"> = {},
): Bar {
  return { title, measure, metric, ...(peer === undefined ? {} : { peer }), ...bounds };
}

function formatBound({ atMost, atLeast }: Bar, format: (value: number) => string): string {
  if (atMost !== undefined) return `≤ ${format(atMost)}`;
  return atLeast === undefined ? "" : `≥ ${format(atLeast)}`;
}

function formatOwn(value: number | undefined): string {
  return formatFigure(value, value !== undefined && (Number.isInteger(value) || value >= 100) ? 0 : 2);
}

import type { SysStats } from "../client/sys-stats.js";
import { formatByteSize } from "./byte-size.js";
import { formatGoDuration } from "./go-duration.js";
import { formatRows } from "./rows.js";

/** Writes figures of the process as `v2ray api stats -runtime` does. */
export function formatSysTable(sys: SysStats): string {
  const rows = [
    ["Up time", formatGoDuration(BigInt(sys.Uptime) * 1_000_000_000n)],
    ["Memory obtained", formatByteSize(sys.Sys)],
    ["Number of goroutines", `${sys.NumGoroutine}`],
    ["Heap allocated", formatByteSize(sys.Alloc)],
    ["Live objects", `${sys.LiveObjects}`],
    ["Heap allocated total", formatByteSize(sys.TotalAlloc)],
    ["Heap allocate count", `${sys.Mallocs}`],
    ["Heap free count", `${sys.Frees}`],
    ["Number of GC", `${sys.NumGC}`],
    ["Time of GC pause", formatGoDuration(sys.PauseTotalNs)],
  ];
  return formatRows(["Item", "Value"], rows, [22, 10]);
}

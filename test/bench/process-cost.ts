import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"]).toString());

/**
 * Processor time of a process, in milliseconds: of the threads that it has, to the nanosecond. A kernel that does not say so
 * tells that of all the process's threads, to the tick.
 */
export function cpuMsOf(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const times = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1"));
    return times.reduce((sum, line) => sum + Number(line.split(" ", 1)[0]), 0) / 1e6;
  } catch {
    // A thread that has ended since, or a kernel that keeps no such figures.
    return ticksMsOf(pid);
  }
}

function ticksMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name before it may have anything in it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1_000;
}

/** What of its memory is in RAM, in bytes. */
export function rssBytesOf(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
  return Number(kibibytes) * 1024;
}

/** How many descriptors it has open. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { queryObjects } from "node:v8";
import type { App } from "../../src/app.js";
import { collectGarbage } from "../helpers/gc.js";
import { turns } from "../helpers/timing.js";

const statusPath = "/proc/self/status";

/** Whether a process can be asked what it takes: `{ skip: … }` for the options of a test that does. */
export const needsProcessStatus = {
  skip: existsSync(statusPath) ? false : `there is no ${statusPath}`,
} as const;

/** What the process of a proxy takes, and what the proxy in it knows. */
export interface ProcessReport {
  readonly rssBytes: number;
  /** The most that the resident set ever was. */
  readonly peakRssBytes: number;
  /** What is used of the JavaScript heap, and what is held outside of it by objects on it. */
  readonly heapBytes: number;
  /** Processor time since the process began. */
  readonly cpuMs: number;
  readonly descriptorCount: number;
  /** What keeps the event loop going, by kind: sockets, listeners, timers, requests. */
  readonly resources: Readonly<Record<string, number>>;
  /** How many connections the app's table has. */
  readonly connectionCount: number;
  /** All counters since they exist, by name. */
  readonly counters: Readonly<Record<string, number>>;
}

/**
 * Collects all garbage there is. An ordinary collection, even one that is asked for, leaves some of it for seconds: on Node 20
 * some KiB of each socket that has ended. Counting objects, of whatever class, begins with one that leaves none.
 */
export async function collectAll(): Promise<void> {
  collectGarbage();
  // What has gone by now may let go of something else.
  await turns(2);
  queryObjects(WeakRef, { format: "count" });
}

/** Describes this process, as it is. */
export function reportOn(app: App): ProcessReport {
  const { rss: rssBytes, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    rssBytes,
    peakRssBytes: peakRssBytes(),
    heapBytes: heapUsed + external,
    cpuMs: (user + system) / 1_000,
    // Reading the folder takes one.
    descriptorCount: readdirSync("/proc/self/fd").length - 1,
    resources: countsOf(process.getActiveResourcesInfo()),
    connectionCount: app.connections.size,
    counters: Object.fromEntries(
      Array.from(
        app.store.query(() => true),
        ({ name, counter }) => [name, Number(counter.total)],
      ),
    ),
  };
}

/** That of this program; `process.resourceUsage()` begins with that of the one that started it. */
function peakRssBytes(): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(statusPath, "latin1")) ?? [];
  return Number(kibibytes) * 1024;
}

function countsOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

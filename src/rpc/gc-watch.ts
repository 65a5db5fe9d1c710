import { constants, PerformanceObserver, type PerformanceEntry } from "node:perf_hooks";

/** Garbage collections seen so far. */
export interface GcFigures {
  readonly count: number;
  /** Sum of their durations, in milliseconds. */
  readonly pauseMs: number;
}

/**
 * Counts this process's minor and major garbage collections. The steps of incremental marking are left out: each ends in
 * a major collection that is counted.
 */
export class GcWatch {
  #count = 0;
  #pauseMs = 0;
  readonly #observer = new PerformanceObserver((list) => {
    this.#take(list.getEntries());
  });

  constructor() {
    this.#observer.observe({ entryTypes: ["gc"] });
  }

  read(): GcFigures {
    this.#take(this.#observer.takeRecords());
    return { count: this.#count, pauseMs: this.#pauseMs };
  }

  [Symbol.dispose](): void {
    this.#observer.disconnect();
  }

  #take(entries: readonly PerformanceEntry[]): void {
    for (const entry of entries) {
      if (!isWholeCollection(entry)) continue;
      this.#count += 1;
      this.#pauseMs += entry.duration;
    }
  }
}

function isWholeCollection(entry: PerformanceEntry): boolean {
  const detail: unknown = "detail" in entry ? entry.detail : undefined;
  if (typeof detail !== "object" || detail === null || !("kind" in detail)) return false;
  return (
    detail.kind === constants.NODE_PERFORMANCE_GC_MINOR || detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR
  );
}

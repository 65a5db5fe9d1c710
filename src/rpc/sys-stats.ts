import { AllocationMeter } from "./allocation-meter.js";
import { GcWatch } from "./gc-watch.js";

/**
 * What GetSysStats answers, with the names of Go's runtime and Node's own figures. What V8 does not count is 0 and not
 * invented.
 */
export interface SysStatsFigures {
  /** Active resources of the event loop (sockets, timers, requests): the nearest relative of a goroutine. */
  readonly NumGoroutine: number;
  /** Completed minor and major garbage collections since the service started. */
  readonly NumGC: number;
  /** Bytes in use now: JavaScript heap and external memory. */
  readonly Alloc: bigint;
  /** Bytes allocated on the JavaScript heap since the service started. */
  readonly TotalAlloc: bigint;
  /** Resident set size in bytes. */
  readonly Sys: bigint;
  /** Always 0: V8 does not count it. */
  readonly Mallocs: bigint;
  /** Always 0: V8 does not count it. */
  readonly Frees: bigint;
  /** Always 0: V8 does not count it. */
  readonly LiveObjects: bigint;
  /** Sum of the durations of the collections in NumGC, in nanoseconds. */
  readonly PauseTotalNs: bigint;
  /** Whole seconds since the service started. */
  readonly Uptime: number;
}

/** Where the figures of GetSysStats come from. */
export interface SysStatsSource {
  read(): SysStatsFigures;
}

/** Figures of this process, since the object was created. It watches garbage collections until it is disposed. */
export class SysStats implements SysStatsSource {
  readonly #startedAtMs = performance.now();
  readonly #gcWatch = new GcWatch();
  readonly #allocationMeter = new AllocationMeter();

  read(): SysStatsFigures {
    const { heapUsed, external, rss } = process.memoryUsage();
    const { count, pauseMs } = this.#gcWatch.read();
    return {
      NumGoroutine: process.getActiveResourcesInfo().length,
      NumGC: count,
      Alloc: BigInt(heapUsed + external),
      TotalAlloc: BigInt(this.#allocationMeter.read()),
      Sys: BigInt(rss),
      Mallocs: 0n,
      Frees: 0n,
      LiveObjects: 0n,
      PauseTotalNs: BigInt(Math.round(pauseMs * 1e6)),
      Uptime: Math.floor((performance.now() - this.#startedAtMs) / 1_000),
    };
  }

  [Symbol.dispose](): void {
    this.#gcWatch[Symbol.dispose]();
    this.#allocationMeter[Symbol.dispose]();
  }
}

import { GCProfiler, getHeapStatistics } from "node:v8";

/** The profiler keeps about 3 KB for each collection until it is stopped. */
const restartIntervalMs = 60_000;

/**
 * Measures how many bytes were allocated on the JavaScript heap since it was created: whatever the heap grew by from one
 * look at it to the next, summed. Each garbage collection is such a look, before and after, and so is each reading: since
 * V8 13 the heap shrinks between collections too, when memory is swept late.
 */
export class AllocationMeter {
  #profiler = startProfiler();
  #heapBytes = heapBytesNow();
  #allocatedBytes = 0;
  readonly #restarting = setInterval(() => {
    this.#takeCollections();
  }, restartIntervalMs).unref();

  /** Bytes so far; it never falls. */
  read(): number {
    this.#takeCollections();
    this.#grow(heapBytesNow());
    return this.#allocatedBytes;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#restarting);
    this.#profiler.stop();
  }

  #takeCollections(): void {
    const { statistics } = this.#profiler.stop();
    this.#profiler = startProfiler();
    for (const { beforeGC, afterGC } of statistics) {
      this.#grow(beforeGC.heapStatistics.usedHeapSize);
      this.#heapBytes = afterGC.heapStatistics.usedHeapSize;
    }
  }

  #grow(heapBytes: number): void {
    this.#allocatedBytes += Math.max(0, heapBytes - this.#heapBytes);
    this.#heapBytes = heapBytes;
  }
}

function startProfiler(): GCProfiler {
  const profiler = new GCProfiler();
  profiler.start();
  return profiler;
}

function heapBytesNow(): number {
  return getHeapStatistics().used_heap_size;
}

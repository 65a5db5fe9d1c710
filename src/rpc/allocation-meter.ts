import { GCProfiler, getHeapStatistics } from "node:v8";

/** The profiler keeps about 3 KB for each collection until it is stopped. */
const restartIntervalMs = 60_000;

/**
 * Measures how many bytes were allocated on the JavaScript heap since it was created: what the heap grew by between one
 * garbage collection and the next, summed.
 */
export class AllocationMeter {
  #profiler = startProfiler();
  #heapBytes = heapBytesNow();
  #collectedBytes = 0;
  #lastReading = 0;
  readonly #restarting = setInterval(() => {
    this.#restart();
  }, restartIntervalMs).unref();

  /** Bytes so far; it never falls. */
  read(): number {
    this.#restart();
    const sinceCollection = Math.max(0, heapBytesNow() - this.#heapBytes);
    this.#lastReading = Math.max(this.#lastReading, this.#collectedBytes + sinceCollection);
    return this.#lastReading;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#restarting);
    this.#profiler.stop();
  }

  #restart(): void {
    const { statistics } = this.#profiler.stop();
    this.#profiler = startProfiler();
    for (const { beforeGC, afterGC } of statistics) {
      this.#collectedBytes += Math.max(0, beforeGC.heapStatistics.usedHeapSize - this.#heapBytes);
      this.#heapBytes = afterGC.heapStatistics.usedHeapSize;
    }
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

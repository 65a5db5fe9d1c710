import { closeSync, openSync, readSync } from "node:fs";

/** For how long the event loop of a process stood still. */
export interface Stall {
  /** The longest time, in milliseconds, in which a timer that was due did not run, whoever had the processor meanwhile. */
  readonly wallMs: number;
  /** The most processor time that the thread of the event loop took between two runs of it, in milliseconds. */
  readonly cpuMs: number;
}

const periodMs = 1;

/**
 * Watches the event loop of its own process, by a timer that is due each millisecond. It costs a hundredth of a processor.
 * The time of the processor tells what the process itself has kept its loop for, and says so on a busy machine, too.
 */
export class StallWatch {
  readonly #schedstat = openSync(`/proc/self/task/${process.pid}/schedstat`, "r");
  readonly #buffer = Buffer.alloc(128);
  readonly #timer: NodeJS.Timeout;
  #atMs = performance.now();
  #atCpuMs = this.#readCpuMs();
  #stall: Stall = { wallMs: 0, cpuMs: 0 };

  constructor() {
    this.#timer = setInterval(() => {
      this.#look();
    }, periodMs);
  }

  stop(): Stall {
    this.#look();
    clearInterval(this.#timer);
    closeSync(this.#schedstat);
    return this.#stall;
  }

  #look(): void {
    const [nowMs, nowCpuMs] = [performance.now(), this.#readCpuMs()];
    const { wallMs, cpuMs } = this.#stall;
    this.#stall = {
      wallMs: Math.max(wallMs, nowMs - this.#atMs - periodMs),
      cpuMs: Math.max(cpuMs, nowCpuMs - this.#atCpuMs),
    };
    [this.#atMs, this.#atCpuMs] = [nowMs, nowCpuMs];
  }

  /** Of this thread, in nanoseconds, is the first number there. */
  #readCpuMs(): number {
    const length = readSync(this.#schedstat, this.#buffer, 0, this.#buffer.length, 0);
    return Number(this.#buffer.toString("latin1", 0, length).split(" ", 1)[0]) / 1e6;
  }
}

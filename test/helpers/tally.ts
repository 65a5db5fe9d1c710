import type { ByteSink, ConnectionSinks } from "../../src/net/byte-sink.js";

/** A sink that knows its sum and says when it got there. */
export class Tally implements ByteSink {
  /** The sum after each call. */
  readonly steps: number[] = [];
  #bytes = 0;
  #watchers: (() => void)[] = [];

  get bytes(): number {
    return this.#bytes;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    this.steps.push(this.#bytes);
    for (const watcher of this.#watchers) watcher();
  }

  /** Resolves as soon as at least that many bytes were counted. */
  async reached(bytes: number): Promise<void> {
    if (this.#bytes >= bytes) return;
    await new Promise<void>((resolve) => {
      this.#watchers.push(() => {
        if (this.#bytes >= bytes) resolve();
      });
    });
  }
}

/** One tally for each direction, and the sinks that feed them. */
export interface Tallies {
  readonly up: Tally;
  readonly down: Tally;
  readonly sinks: ConnectionSinks;
}

export function createTallies(): Tallies {
  const up = new Tally();
  const down = new Tally();
  return { up, down, sinks: { uplink: [up], downlink: [down] } };
}

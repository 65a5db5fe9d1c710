import type { LoadGenerator } from "./load.js";
import type { Measure, Sample } from "./measures.js";
import type { RunningServer, ServerKind } from "./servers.js";

/** What one server's rounds came to. */
export interface ServerResult {
  readonly name: string;
  /** The median of each metric. */
  readonly medians: readonly number[];
  /** The median over the rounds of the first server's value divided by this one's, for each metric. */
  readonly ratios: readonly number[];
}

export interface MeasureResult {
  readonly measure: Measure;
  readonly roundCount: number;
  /** What the load by itself can do. */
  readonly check?: string | undefined;
  readonly servers: readonly ServerResult[];
  /** Those that could not be measured, and why. */
  readonly missing: readonly string[];
}

export interface RoundsOptions {
  /** Default: what the measure says. */
  readonly roundCount?: number | undefined;
}

/**
 * Measures servers side by side: in each round every one of them once, each round beginning with another one, so that what
 * else the machine does meets all of them alike. A first round is thrown away: it warms everybody up.
 */
export async function carryOutRounds(
  measure: Measure,
  load: LoadGenerator,
  { roundCount = measure.roundCount }: RoundsOptions = {},
): Promise<MeasureResult> {
  const kinds = measure.servers.filter(({ missing }) => missing === undefined);
  const missing = measure.servers.flatMap(({ name, missing: why }) =>
    why === undefined ? [] : [`${name}: ${why}`],
  );
  const contestants = kinds.map((kind) => new Contestant(kind, measure));
  const check = await measure.check?.(load);
  try {
    const first = measure.isFresh ? 1 : 0;
    for (let round = first; round <= roundCount; round++) {
      for (const contestant of rotated(contestants, round)) await contestant.sample(load, round > 0);
    }
  } finally {
    for (const contestant of contestants) await contestant.stop();
  }
  const [ours] = contestants;
  const servers = contestants.map(({ kind: { name }, samples }) => ({
    name,
    medians: measure.metrics.map((_, metric) => median(samples.map((sample) => sample[metric] ?? NaN))),
    ratios: measure.metrics.map((_, metric) =>
      median(
        samples.map((sample, round) => (ours?.samples[round]?.[metric] ?? NaN) / (sample[metric] ?? NaN)),
      ),
    ),
  }));
  return { measure, roundCount, check, servers, missing };
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = NaN, high = NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** The same list, begun at another place. */
export function rotated<T>(list: readonly T[], by: number): readonly T[] {
  const start = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

/** A server that takes part, started when it is its turn for the first time. */
class Contestant {
  readonly kind: ServerKind;
  readonly samples: Sample[] = [];
  readonly #measure: Measure;
  #running: RunningServer | undefined;

  constructor(kind: ServerKind, measure: Measure) {
    this.kind = kind;
    this.#measure = measure;
  }

  async sample(load: LoadGenerator, counts: boolean): Promise<void> {
    this.#running ??= await this.kind.start();
    const sample = await this.#measure.sample(this.#running, load);
    if (counts) this.samples.push(sample);
    if (this.#measure.isFresh) await this.stop();
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.stop();
  }
}

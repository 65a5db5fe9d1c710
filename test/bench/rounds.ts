import type { LoadGenerator } from "./load.js";
import type { Measure, Sample } from "./measure.js";
import type { RunningServer, ServerKind } from "./servers.js";
import { median, rotated } from "./statistics.js";

/** What one server's rounds came to. */
export interface ServerResult {
  readonly name: string;
  /** What each round came to. */
  readonly samples: readonly Sample[];
  /** The median of each metric. */
  readonly medians: readonly number[];
  /** The median over the rounds of the first server's value divided by this one's, for each metric. */
  readonly ratios: readonly number[];
}

export interface MeasureResult {
  readonly measure: Measure;
  /** How many rounds there were. */
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
  /** After how long no further round begins, in milliseconds; one there is. Default: 180,000. */
  readonly maxMs?: number | undefined;
  /** How many rounds are thrown away before the first. Default: what the measure says. */
  readonly warmUpCount?: number | undefined;
  /** The time, in milliseconds. Default: a clock that nobody sets. */
  readonly now?: () => number;
}

/**
 * Measures servers side by side: in each round every one of them once, each round beginning with another one, so that what
 * else the machine does meets all of them alike. First ones are thrown away: they warm everybody up.
 */
export async function carryOutRounds(
  measure: Measure,
  load: LoadGenerator,
  {
    roundCount = measure.roundCount,
    maxMs = 180_000,
    warmUpCount = measure.warmUpCount ?? (measure.isFresh ? 0 : 1),
    now = () => performance.now(),
  }: RoundsOptions = {},
): Promise<MeasureResult> {
  const kinds = measure.servers.filter(({ missing }) => missing === undefined);
  const missing = measure.servers.flatMap(({ name, missing: why }) =>
    why === undefined ? [] : [`${name}: ${why}`],
  );
  if (measure.missing !== undefined)
    return { measure, roundCount: 0, servers: [], missing: [`all of it: ${measure.missing}`] };
  const contestants = kinds.map((kind) => new Contestant(kind, measure));
  const begunAtMs = now();
  const check = await measure.check?.(load);
  let round = 0;
  try {
    for (let warmUp = 0; warmUp < warmUpCount; warmUp++)
      for (const contestant of contestants) await contestant.sample(load, false);
    do {
      round += 1;
      for (const contestant of rotated(contestants, round)) await contestant.sample(load, true);
    } while (round < roundCount && now() - begunAtMs < maxMs);
  } finally {
    for (const contestant of contestants) await contestant.stop();
  }
  const [ours] = contestants;
  const servers = contestants.map(({ kind: { name }, samples }) => ({
    ...{ name, samples },
    medians: measure.metrics.map((_, metric) => median(samples.map((sample) => sample[metric] ?? NaN))),
    ratios: measure.metrics.map((_, metric) =>
      median(
        samples.map((sample, round) => (ours?.samples[round]?.[metric] ?? NaN) / (sample[metric] ?? NaN)),
      ),
    ),
  }));
  return { measure, roundCount: round, check, servers, missing };
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

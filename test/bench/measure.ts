import type { LoadGenerator } from "./load.js";
import type { RunningServer, ServerKind } from "./servers.js";

/** One thing that is measured of each sample. */
export interface Metric {
  readonly title: string;
  readonly digits: number;
  /** Whether servers are not to be compared in it: it is about the load, or a bound. Default: they are. */
  readonly isAlone?: boolean;
}

/** What one sample came to: a value for each metric, in their order; NaN where the server has no such thing. */
export type Sample = readonly number[];

/** Something that is measured of several servers in one run, side by side. */
export interface Measure {
  readonly name: string;
  readonly title: string;
  /** Why it cannot be carried out here. */
  readonly missing?: string | undefined;
  /** The first one is compared with each of the others. */
  readonly servers: readonly ServerKind[];
  readonly metrics: readonly Metric[];
  /** How many rounds make a median. */
  readonly roundCount: number;
  /** Whether each sample is of a server that has just begun. */
  readonly isFresh: boolean;
  /** How many samples of each server are thrown away before the first round. Default: one, and none of a fresh one. */
  readonly warmUpCount?: number;
  /** What the load by itself can do: how it was seen that it is not what is measured. */
  check?(load: LoadGenerator): Promise<string>;
  sample(server: RunningServer, load: LoadGenerator): Promise<Sample>;
}

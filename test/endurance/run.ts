import { performance } from "node:perf_hooks";
import { isDeepStrictEqual } from "node:util";
import { statDirections, type StatDirection, type StatScope } from "../../src/stats/stat-name.js";
import { withTimeout } from "../helpers/timing.js";
import { assertDescriptors } from "./descriptor-limit.js";
import { Facts, type Fact } from "./facts.js";
import type { ProcessReport } from "./process-report.js";
import { Stage } from "./stage.js";

/** What the proxy's process may take. */
export interface RunLimits {
  /** How much larger its resident set may be after the last repetition than after the first. */
  readonly rssGrowthBytes: number;
  /** The same for what is used of the heap, which says more: it has no holes. */
  readonly heapGrowthBytes: number;
  /** How much larger than at the start its resident set may ever be. */
  readonly peakBytes: number;
}

/** Something to do to a proxy for a while, to be carried out once. */
export interface Run {
  readonly name: string;
  /** How much of what, all repetitions together. */
  readonly amount: string;
  /** A leak grows from one repetition to the next, a heap that has to warm up does not. */
  readonly repetitionCount: number;
  /** How many descriptors a process has open at most. */
  readonly descriptorCount: number;
  readonly timeoutMs: number;
  readonly limits: RunLimits;
  /** Does it once. When it resolves, all that it opened has ended or is ending. */
  repeat(stage: Stage, repetition: number): Promise<void>;
  /** Looks, after each repetition, at a proxy that has come to rest. */
  check(facts: Facts, report: ProcessReport): void;
}

export interface RunResult {
  readonly run: Run;
  readonly durationMs: number;
  readonly facts: readonly Fact[];
  readonly figures: readonly string[];
  /** When the proxy had started. */
  readonly before?: ProcessReport | undefined;
  /** After the last repetition that came to its end. */
  readonly after?: ProcessReport | undefined;
}

export interface RunOptions {
  /** How long the proxy may take to come to rest after a repetition, in milliseconds. Default: 30,000. */
  readonly settleMs?: number;
  /** Told how far it is. Default: nobody is. */
  readonly onProgress?: (line: string) => void;
}

/** Carries a run out. It never rejects: what goes wrong is among the facts. */
export async function carryOut(
  run: Run,
  { settleMs = 30_000, onProgress = () => undefined }: RunOptions = {},
): Promise<RunResult> {
  const begun = performance.now();
  const facts = new Facts();
  const figures: string[] = [];
  const reports: ProcessReport[] = [];
  try {
    assertDescriptors(run);
    const stage = await Stage.open(facts, figures);
    try {
      reports.push(await stage.proxy.report());
      const repeated = repeat(run, stage, reports, { settleMs, onProgress });
      await withTimeout(repeated, run.timeoutMs, run.name);
      stage.during("in the end");
      checkGrowth(run, facts, reports);
      facts.equal("exit code of the proxy, stopped", await stage.proxy.stop(), 0);
    } finally {
      await stage[Symbol.asyncDispose]();
    }
  } catch (error) {
    facts.failed(error);
  }
  const [before, ...after] = reports;
  const durationMs = performance.now() - begun;
  return { run, durationMs, facts: facts.list, figures, before, after: after.at(-1) };
}

/** What the counters of a scope hold, or that of one tag, since they exist. */
export function countedBy(
  { counters }: ProcessReport,
  scope: StatScope,
  direction: StatDirection,
  tag?: string,
): number {
  const prefix = tag === undefined ? `${scope}>>>` : `${scope}>>>${tag}>>>`;
  return Object.entries(counters)
    .filter(([name]) => name.startsWith(prefix) && name.endsWith(direction))
    .reduce((sum, [, bytes]) => sum + bytes, 0);
}

async function repeat(
  run: Run,
  stage: Stage,
  reports: ProcessReport[],
  { settleMs, onProgress }: Required<RunOptions>,
): Promise<void> {
  const [before] = reports;
  for (let repetition = 1; repetition <= run.repetitionCount; repetition++) {
    const begun = performance.now();
    stage.during(`repetition ${repetition}`);
    await run.repeat(stage, repetition);
    await stage.proxy.lookWhen((now) => isAtRest(now, before), settleMs);
    const report = await stage.proxy.report();
    reports.push(report);
    checkRest(stage.facts, report, before);
    run.check(stage.facts, report);
    const seconds = (performance.now() - begun) / 1_000;
    onProgress(`${run.name} ${repetition} of ${run.repetitionCount}: ${seconds.toFixed(1)} s`);
  }
}

type Rest = Pick<ProcessReport, "connectionCount" | "descriptorCount" | "resources">;

function restOf({ connectionCount, descriptorCount, resources }: ProcessReport): Rest {
  return { connectionCount, descriptorCount, resources };
}

function isAtRest(now: ProcessReport, before: ProcessReport | undefined): boolean {
  return before !== undefined && isDeepStrictEqual(restOf(now), restOf(before));
}

function checkRest(facts: Facts, now: ProcessReport, before: ProcessReport | undefined): void {
  facts.equal("at rest afterwards", restOf(now), before && restOf(before));
  for (const direction of statDirections) {
    const inbound = countedBy(now, "inbound", direction);
    facts.equal(`${direction} of outbound, as of inbound`, countedBy(now, "outbound", direction), inbound);
    facts.equal(`${direction} of all users, as of inbound`, countedBy(now, "user", direction), inbound);
  }
}

function checkGrowth({ limits }: Run, facts: Facts, reports: readonly ProcessReport[]): void {
  const [before, first] = reports;
  const last = reports.at(-1);
  if (before === undefined || first === undefined || last === undefined) return;
  facts.atMost("peak of the RSS above its start", last.peakRssBytes - before.rssBytes, limits.peakBytes);
  facts.atMost(
    "growth of the RSS over the repetitions",
    last.rssBytes - first.rssBytes,
    limits.rssGrowthBytes,
  );
  facts.atMost(
    "growth of the heap over the repetitions",
    last.heapBytes - first.heapBytes,
    limits.heapGrowthBytes,
  );
}

import { parseStatName, type StatScope } from "../stats/stat-name.js";
import type { Stat } from "./merge-stats.js";

/** All counters, and when they were read. */
export interface Reading {
  /** On a clock that only goes forward, in milliseconds. */
  readonly atMs: number;
  readonly stats: readonly Stat[];
}

/** What one user, inbound or outbound moves. */
export interface Traffic {
  readonly tag: string;
  /** Bytes since the counters were last reset. */
  readonly up: bigint;
  readonly down: bigint;
  /** Bytes a second between two readings; `undefined` after the first one. */
  readonly upRate: bigint | undefined;
  readonly downRate: bigint | undefined;
}

/**
 * What everyone of a kind moves, the fastest first; of those alike, who has moved the most, and then by name.
 *
 * A counter that has fallen was reset by someone else: what it shows now came since. One that was not there before has come
 * up since.
 */
export function toTraffic(scope: StatScope, current: Reading, previous?: Reading): readonly Traffic[] {
  const earlier = previous && new Map(previous.stats.map(({ name, value }) => [name, value]));
  const elapsedMs = Math.max(1, Math.round(current.atMs - (previous?.atMs ?? 0)));
  const byTag = new Map<string, Traffic>();
  for (const { name, value } of current.stats) {
    const parts = parseStatName(name);
    if (parts?.scope !== scope) continue;
    const { tag, direction } = parts;
    const row = byTag.get(tag) ?? { tag, up: 0n, down: 0n, upRate: undefined, downRate: undefined };
    const rate = earlier && perSecond(value, earlier.get(name) ?? 0n, elapsedMs);
    byTag.set(
      tag,
      direction === "uplink" ? { ...row, up: value, upRate: rate } : { ...row, down: value, downRate: rate },
    );
  }
  return [...byTag.values()].sort(
    (a, b) =>
      descending(rateOf(a), rateOf(b)) || descending(a.up + a.down, b.up + b.down) || ascending(a.tag, b.tag),
  );
}

function perSecond(value: bigint, before: bigint, elapsedMs: number): bigint {
  const moved = value < before ? value : value - before;
  return (moved * 1_000n) / BigInt(elapsedMs);
}

function rateOf({ upRate = 0n, downRate = 0n }: Traffic): bigint {
  return upRate + downRate;
}

function descending(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a > b ? -1 : 1;
}

function ascending(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

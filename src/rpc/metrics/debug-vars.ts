import type { CounterStore, CounterSubject } from "../../stats/counter-store.js";
import { statDirections, statScopes, type StatScope } from "../../stats/stat-name.js";
import type { SysStatsFigures, SysStatsSource } from "../sys-stats.js";

export interface DebugVarsOptions {
  /** Absent where nothing is counted. */
  readonly store: CounterStore | undefined;
  readonly sysStats: SysStatsSource;
  /** Whose traffic is told; the others are there, and empty. */
  readonly scopes: readonly StatScope[];
}

/**
 * Writes what Xray answers at `/debug/vars`, a piece at a time: the traffic by scope, tag and direction, and of Go's
 * memory figures those that Node has too. Numbers are exact, also where JavaScript itself would round them.
 *
 * Traffic is counted over the lifetime of the counters: those who read this (v2rayN, netdata) take differences, which a
 * reset would make negative.
 */
export function* debugVars({
  store,
  sysStats,
  scopes,
}: DebugVarsOptions): Generator<string, void, undefined> {
  yield '{\n"memstats": ';
  yield formatMemstats(sysStats.read());
  yield ',\n"stats": {';
  for (const [index, scope] of statScopes.entries()) {
    yield `${index === 0 ? "" : ","}"${scope}":{`;
    if (scopes.includes(scope)) yield* subjectsText(store?.subjects(scope) ?? []);
    yield "}";
  }
  yield "}\n}\n";
}

function* subjectsText(subjects: Iterable<CounterSubject>): Generator<string, void, undefined> {
  let separator = "";
  for (const subject of subjects) {
    const figures = statDirections.flatMap((direction) => {
      const counter = subject[direction];
      return counter === undefined ? [] : [`"${direction}":${counter.total}`];
    });
    yield `${separator}${JSON.stringify(subject.tag)}:{${figures.join(",")}}`;
    separator = ",";
  }
}

function formatMemstats(figures: SysStatsFigures): string {
  const { Alloc, TotalAlloc, Sys, Mallocs, Frees, PauseTotalNs, NumGC } = figures;
  const fields = Object.entries({ Alloc, TotalAlloc, Sys, Mallocs, Frees, PauseTotalNs, NumGC });
  return `{${fields.map(([name, value]) => `"${name}":${value}`).join(",")}}`;
}

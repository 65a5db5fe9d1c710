import type { CounterStore, NamedCounter } from "../stats/counter-store.js";
import type { Matcher, RegexpCompiler } from "../stats/matcher.js";
import type { Steps } from "./sliced-work.js";

export interface QueryStepsOptions {
  /** As a query has them: none means every counter. */
  readonly patterns: readonly string[];
  /** Turns the patterns into regular expressions; without it they are substrings. */
  readonly compileRegexp: RegexpCompiler | undefined;
  /** Called often, with how long it has taken so far. Whatever it throws ends the search. */
  readonly check: (usedMs: number) => void;
}

/** How many names are looked through for substrings in one step. */
const namesPerStep = 64;

/**
 * Looks for the counters of a query, as `createMatcher()` says which are meant, but in steps: each expression is compiled in
 * one, before anything is looked at, and held against a name in one.
 */
export function* queryInSteps(
  store: CounterStore,
  { patterns, compileRegexp, check }: QueryStepsOptions,
): Steps<NamedCounter[]> {
  const matchers: Matcher[] = [];
  for (const pattern of patterns) {
    check(yield);
    matchers.push(compileRegexp?.(pattern) ?? ((name) => name.includes(pattern)));
  }
  const found: NamedCounter[] = [];
  let sinceStep = 0;
  for (const named of store.query(everyName)) {
    let isMeant = matchers.length === 0;
    for (const matches of matchers) {
      if (++sinceStep >= (compileRegexp === undefined ? namesPerStep : 1)) {
        sinceStep = 0;
        check(yield);
      }
      isMeant = matches(named.name);
      if (isMeant) break;
    }
    if (isMeant) found.push(named);
    if (matchers.length === 0 && found.length % namesPerStep === 0) check(yield);
  }
  return found;
}

function everyName(): boolean {
  return true;
}

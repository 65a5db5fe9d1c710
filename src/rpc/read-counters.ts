import type { CounterSlab } from "../stats/counter-slab.js";
import { slabsOf, type CounterStore } from "../stats/counter-store.js";
import { Int64 } from "../stats/int64.js";
import type { Matcher, RegexpCompiler } from "../stats/matcher.js";
import { createSlabMatcher, type SlabMatcher } from "../stats/slab-matcher.js";
import type { CallContext } from "./call-context.js";
import { deliveryKey } from "./delivery.js";
import { Pace } from "./pace.js";
import type { Steps } from "./sliced-work.js";
import { TakenBytes } from "./taken-bytes.js";

/** Is given each counter that was read: where its name is, and the value, which is valid until the next one. */
export type TakeCounter = (slab: CounterSlab, place: number, value: Int64) => void;

export interface ReadCountersOptions {
  readonly store: CounterStore;
  /** As a query has them: none means every counter. */
  readonly patterns: readonly string[];
  /** Turns the patterns into regular expressions; without it they are substrings. */
  readonly compileRegexp: RegexpCompiler | undefined;
  readonly reset: boolean;
  readonly context: CallContext;
  /** Called between two steps with how long it has taken so far. Whatever it throws ends the reading. */
  readonly check: (usedMs: number) => void;
}

/**
 * Reads all counters that are meant, as `createMatcher()` says which those are, and resets them if asked to, in steps: each
 * expression is compiled in one, before anything is looked at, and so many counters are looked at in one as take a quarter
 * of a millisecond. Each counter is read and reset in one step, but not all of them are of one moment.
 *
 * What was reset comes back if the reading ends meanwhile, or if its answer is lost.
 */
export function* readCounters(
  { store, reset, context, check, ...query }: ReadCountersOptions,
  take: TakeCounter,
): Steps<void> {
  check(0);
  const matcher = yield* compileInSteps({ ...query, check });
  let usedMs = yield;
  const pace = new Pace(usedMs);
  const taken = new TakenBytes();
  const value = new Int64();
  try {
    for (const slab of slabsOf(store)) {
      // Slabs fill while they are being read.
      for (let from = 0; from < slab.length;) {
        const to = Math.min(from + pace.length, slab.length);
        const search = matcher(slab, from, to);
        let found = search.next();
        for (; found.done !== true; found = search.next()) {
          usedMs = yield;
          check(usedMs);
          pace.step(usedMs);
        }
        for (const place of found.value) {
          if (reset) taken.reset(slab, place, value);
          else slab.readAt(place, value);
          take(slab, place, value);
        }
        from = to;
        usedMs = yield;
        check(usedMs);
        pace.step(usedMs);
      }
    }
  } catch (error) {
    taken.giveBack();
    throw error;
  }
  if (taken.isEmpty) return;
  context.values.get(deliveryKey).onLost(() => {
    taken.giveBack();
  });
}

/** All expressions are compiled before a name is looked at, so that a bad one is known before anything is read or reset. */
function* compileInSteps({
  patterns,
  compileRegexp,
  check,
}: Pick<ReadCountersOptions, "patterns" | "compileRegexp" | "check">): Steps<SlabMatcher> {
  const compiled = new Map<string, Matcher>();
  if (compileRegexp !== undefined) {
    for (const pattern of patterns) {
      compiled.set(pattern, compileRegexp(pattern));
      check(yield);
    }
  }
  const regexp = compileRegexp !== undefined;
  return createSlabMatcher({ patterns, regexp }, (pattern) => compiled.get(pattern) ?? matchesNothing);
}

function matchesNothing(): boolean {
  return false;
}

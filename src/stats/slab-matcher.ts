import { placesPerSlab, type CounterSlab } from "./counter-slab.js";
import type { Matcher, MatcherOptions, RegexpCompiler } from "./matcher.js";
import { requiredLiteral } from "./required-literal.js";

/**
 * Looks in one slab, from one place up to but not including another, for the counters that are meant. Between two
 * expressions, each of which can take long over a single name, it yields.
 *
 * @returns their places, in order. What it returns is valid until it is called again.
 */
export type SlabMatcher = (
  slab: CounterSlab,
  from: number,
  to: number,
) => Generator<undefined, Uint16Array, undefined>;

/**
 * Builds the matcher of a query, as {@link createMatcher} does, for names as they lie in memory: a substring is searched in
 * thousands of them at once. All expressions are compiled before it returns, so a bad one is known before anything is read
 * or reset.
 *
 * @throws whatever `compileRegexp` throws.
 */
export function createSlabMatcher(
  { patterns, regexp = false }: MatcherOptions,
  compileRegexp: RegexpCompiler,
): SlabMatcher {
  if (patterns.length === 0) return collecting([markAll]);
  if (regexp) {
    const candidates = new Uint8Array(placesPerSlab);
    return collecting(patterns.map((pattern) => markWith(pattern, compileRegexp(pattern), candidates)));
  }
  // The empty pattern occurs in every name.
  if (patterns.includes("")) return collecting([markAll]);
  const substrings = [...new Set(patterns)].map((pattern) => Buffer.from(pattern));
  return collecting([
    (slab, from, to, marks) => {
      for (const substring of substrings) markContaining(substring, slab, from, to, marks);
    },
  ]);
}

/** Marks the places that are meant, from one place up to another, with a 1. */
type Mark = (slab: CounterSlab, from: number, to: number, marks: Uint8Array) => void;

function collecting(parts: readonly Mark[]): SlabMatcher {
  const marks = new Uint8Array(placesPerSlab);
  const places = new Uint16Array(placesPerSlab);
  return function* (slab, from, to) {
    marks.fill(0, from, to);
    for (const [index, mark] of parts.entries()) {
      if (index > 0) yield;
      mark(slab, from, to, marks);
    }
    let count = 0;
    for (let place = from; place < to; place++) {
      if (marks[place] === 1 && slab.isCounted(place)) places[count++] = place;
    }
    return places.subarray(0, count);
  };
}

/** @param candidates - Room for the places whose names have what the pattern needs. */
function markWith(pattern: string, matches: Matcher, candidates: Uint8Array): Mark {
  const literal = Buffer.from(requiredLiteral(pattern));
  const mark = literal.length === 0 ? markAll : markContaining.bind(undefined, literal);
  return (slab, from, to, marks) => {
    candidates.fill(0, from, to);
    mark(slab, from, to, candidates);
    for (let place = from; place < to; place++) {
      if (candidates[place] === 1 && marks[place] === 0 && slab.isCounted(place)) {
        marks[place] = matches(slab.nameAt(place)) ? 1 : 0;
      }
    }
  };
}

function markAll(_: CounterSlab, from: number, to: number, marks: Uint8Array): void {
  marks.fill(1, from, to);
}

function markContaining(
  substring: Buffer,
  slab: CounterSlab,
  from: number,
  to: number,
  marks: Uint8Array,
): void {
  const names = slab.names.subarray(0, slab.nameStart(to));
  let next = from;
  while (next < to) {
    const found = names.indexOf(substring, slab.nameStart(next));
    if (found < 0) return;
    const place = placeOf(found, slab, next, to);
    // What reaches over the end of a name is none of its parts, and neither is what else begins in that name behind it.
    if (found + substring.length <= slab.nameStart(place + 1)) marks[place] = 1;
    next = place + 1;
  }
}

/** The place from `low` on, and below `high`, in whose name a byte lies. */
function placeOf(byte: number, slab: CounterSlab, low: number, high: number): number {
  let [from, to] = [low, high];
  // Often most names have what is looked for.
  if (byte < slab.nameStart(from + 1)) return from;
  while (to - from > 1) {
    const middle = (from + to) >>> 1;
    if (slab.nameStart(middle) <= byte) from = middle;
    else to = middle;
  }
  return from;
}

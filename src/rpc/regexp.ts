import { Code, ConnectError } from "@connectrpc/connect";
import { RE2JS, RE2JSException } from "re2js";
import type { RegexpCompiler } from "../stats/matcher.js";
import { defaultApiLimits, type ApiLimits } from "./api-limits.js";

/** Most Unicode classes (`\pL`, `\p{Greek}`) in all patterns of one request: each has hundreds of ranges. */
const maxUnicodeClassCount = 50;
/**
 * Most ranges beyond ASCII (`[a-\x{10ffff}]`) in all case-insensitive patterns of one request: of each such range every
 * single character is looked at, which takes milliseconds.
 */
const maxFoldedRangeCount = 4;
/** Longest pattern with its repeats written out, in characters: what compiling goes through. */
const maxUnrolledLength = 100_000;
/** RE2 itself refuses to repeat anything more often, nested repeats multiplied. */
const maxRepeat = 1_000;

/** What a query's regular expressions may come to. */
export type RegexpLimits = Required<
  Pick<ApiLimits, "maxRegexpLength" | "maxRegexpRepeats" | "maxRegexpInstructions">
>;

/**
 * A compiler for the patterns of one request, with RE2's syntax and its promise of linear time, as the Go servers of the
 * field have it. Node's own RegExp could be made to run for ever by whoever may send a query.
 *
 * The compiler throws INVALID_ARGUMENT with the pattern and the reason if a pattern is malformed; if the request's patterns
 * have more than 4,096 characters, 2,000 repeats, 50 Unicode classes or 4 case-insensitive ranges beyond ASCII in all; or
 * if one of them comes to more than 100,000 characters with its repeats written out, or to more than 4,000 instructions.
 * All but the last is known before anything is compiled.
 *
 * @param limits - Others than these. Default: none.
 * @param onCostly - Called before it throws for a pattern that is not malformed but too much. Default: nobody is told.
 */
export function createRegexpCompiler(
  limits: Partial<RegexpLimits> = {},
  onCostly: () => void = () => undefined,
): RegexpCompiler {
  const { maxRegexpLength, maxRegexpRepeats, maxRegexpInstructions } = { ...defaultApiLimits, ...limits };
  let length = 0;
  let repeatSum = 0;
  let unicodeClassCount = 0;
  let foldedRangeCount = 0;
  return (pattern) => {
    const assertBound = (what: string, count: number, max: number): void => {
      if (count <= max) return;
      onCostly();
      throw badPattern(pattern, `${count} ${what}, at most ${max} are allowed`);
    };
    length += pattern.length;
    // First of all: nothing may look through a megabyte.
    assertBound("characters in the request's patterns", length, maxRegexpLength);
    const repeats = repeatsOf(pattern);
    repeatSum += repeats.reduce((sum, count) => sum + count, 0);
    unicodeClassCount += pattern.match(/\\p/gi)?.length ?? 0;
    foldedRangeCount += countFoldedRanges(pattern);
    const unrolled =
      pattern.length *
      Math.min(
        maxRepeat,
        repeats.reduce((product, count) => product * count, 1),
      );
    assertBound("repeats in the request's patterns", repeatSum, maxRegexpRepeats);
    assertBound("Unicode classes in the request's patterns", unicodeClassCount, maxUnicodeClassCount);
    const ranges = "case-insensitive ranges beyond ASCII in the request's patterns";
    assertBound(ranges, foldedRangeCount, maxFoldedRangeCount);
    assertBound("characters with repeats written out", unrolled, maxUnrolledLength);
    const compiled = compile(pattern);
    assertBound("instructions", compiled.programSize(), maxRegexpInstructions);
    return (name) => compiled.test(name);
  };
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (cause) {
    if (cause instanceof RE2JSException) throw badPattern(pattern, cause.message, cause);
    throw cause;
  }
}

/** The larger number of each `{n}` and `{n,m}`, and 1 where that is 0. */
function repeatsOf(pattern: string): number[] {
  const repeats = pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g);
  return Array.from(repeats, ([, least = "", most = ""]) => Math.max(1, Number(least), Number(most)));
}

/** Whether a flag holds where the range stands is not asked: it may be set and taken back anywhere. */
function countFoldedRanges(pattern: string): number {
  if (!/\(\?[a-zA-Z-]*i/.test(pattern)) return 0;
  return pattern.match(/-(?:\\[x0-7]|[^\0-\x7f])/g)?.length ?? 0;
}

function badPattern(pattern: string, reason: string, cause?: Error): ConnectError {
  const shown = JSON.stringify(pattern.length > 80 ? `${pattern.slice(0, 80)}…` : pattern);
  return new ConnectError(
    `bad regular expression ${shown}: ${reason}`,
    Code.InvalidArgument,
    undefined,
    undefined,
    cause,
  );
}

import { Code, ConnectError } from "@connectrpc/connect";
import { RE2JS, RE2JSException } from "re2js";
import type { RegexpCompiler } from "../stats/matcher.js";

/** Most characters in all patterns of one request. */
const maxLength = 4_096;
/** Largest sum of the repeat counts (`{n}`, `{n,m}`) in all patterns of one request. */
const maxRepeatSum = 2_000;
/** Most Unicode classes (`\pL`, `\p{Greek}`) in all patterns of one request: each has hundreds of ranges. */
const maxUnicodeClassCount = 50;
/** Longest pattern with its repeats written out, in characters: what compiling goes through. */
const maxUnrolledLength = 100_000;
/** Largest compiled pattern, in instructions: matching takes this many steps a character at worst. */
const maxInstructionCount = 4_000;
/** RE2 itself refuses to repeat anything more often, nested repeats multiplied. */
const maxRepeat = 1_000;

/**
 * A compiler for the patterns of one request, with RE2's syntax and its promise of linear time, as the Go servers of the
 * field have it. Node's own RegExp could be made to run for ever by whoever may send a query.
 *
 * The compiler throws INVALID_ARGUMENT with the pattern and the reason if a pattern is malformed; if the request's patterns
 * have more than 4,096 characters, 2,000 repeats or 50 Unicode classes in all; or if one of them comes to more than 100,000
 * characters with its repeats written out, or to more than 4,000 instructions.
 */
export function createRegexpCompiler(): RegexpCompiler {
  let length = 0;
  let repeatSum = 0;
  let unicodeClassCount = 0;
  return (pattern) => {
    const repeats = repeatsOf(pattern);
    length += pattern.length;
    repeatSum += repeats.reduce((sum, count) => sum + count, 0);
    unicodeClassCount += pattern.match(/\\p/gi)?.length ?? 0;
    const unrolled =
      pattern.length *
      Math.min(
        maxRepeat,
        repeats.reduce((product, count) => product * count, 1),
      );
    assertBound(pattern, "characters in the request's patterns", length, maxLength);
    assertBound(pattern, "repeats in the request's patterns", repeatSum, maxRepeatSum);
    assertBound(
      pattern,
      "Unicode classes in the request's patterns",
      unicodeClassCount,
      maxUnicodeClassCount,
    );
    assertBound(pattern, "characters with repeats written out", unrolled, maxUnrolledLength);
    const compiled = compile(pattern);
    assertBound(pattern, "instructions", compiled.programSize(), maxInstructionCount);
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

function assertBound(pattern: string, what: string, count: number, max: number): void {
  if (count > max) throw badPattern(pattern, `${count} ${what}, at most ${max} are allowed`);
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

import { Code, ConnectError } from "@connectrpc/connect";
import { RE2JS, RE2JSException } from "re2js";
import type { RegexpCompiler } from "../stats/matcher.js";

/** Longest pattern, in characters. */
const maxPatternLength = 4_096;
/** Largest sum of the repeat counts (`{n}`, `{n,m}`) in all patterns of one request: compiling unrolls them. */
const maxRepeatSum = 2_000;
/** Largest compiled pattern, in instructions: matching takes this many steps a character at worst. */
const maxInstructionCount = 4_000;

/**
 * A compiler for the patterns of one request, with RE2's syntax and its promise of linear time, as the Go servers of the
 * field have it. Node's own RegExp could be made to run for ever by whoever may send a query.
 *
 * The compiler throws INVALID_ARGUMENT with the pattern and the reason if a pattern is malformed, longer than 4,096
 * characters, repeats more than 2,000 times together with the request's other patterns, or comes to more than 4,000
 * instructions.
 */
export function createRegexpCompiler(): RegexpCompiler {
  let repeatSum = 0;
  return (pattern) => {
    assertBound(pattern, "characters", pattern.length, maxPatternLength);
    repeatSum += repeatSumOf(pattern);
    assertBound(pattern, "repeats in the request's patterns", repeatSum, maxRepeatSum);
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

function repeatSumOf(pattern: string): number {
  let sum = 0;
  for (const [, least = "", most = ""] of pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g)) {
    sum += Math.max(Number(least), Number(most));
  }
  return sum;
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

/** Whether a counter of that name is meant. */
export type Matcher = (name: string) => boolean;

/**
 * Turns one regular expression into a matcher that finds it anywhere in a name. It throws what its caller makes of a
 * bad expression, for example an RPC error.
 */
export type RegexpCompiler = (pattern: string) => Matcher;

/** Which counters a query asks for, as the request of QueryStats says it. */
export interface MatcherOptions {
  /** A counter is meant when any of these matches its name; none means every counter. */
  readonly patterns: readonly string[];
  /** Whether the patterns are regular expressions instead of substrings. Default: `false`. */
  readonly regexp?: boolean;
}

/**
 * Builds the matcher of a query. All expressions are compiled before it returns, so a bad one is known before anything
 * is read or reset.
 *
 * The empty pattern occurs in every name and so matches everything.
 *
 * @throws whatever `compileRegexp` throws.
 */
export function createMatcher(
  { patterns, regexp = false }: MatcherOptions,
  compileRegexp: RegexpCompiler,
): Matcher {
  if (patterns.length === 0) return matchesAll;
  if (regexp) {
    const matchers = patterns.map(compileRegexp);
    return (name) => matchers.some((matches) => matches(name));
  }
  return (name) => patterns.some((pattern) => name.includes(pattern));
}

function matchesAll(): boolean {
  return true;
}

/** What stands for itself in a regular expression: all but the characters that mean something else. */
const literal = /[^\\^$.|?*+()[\]{}]/u;

/** What many names have. */
const common = />|user|inbound|outbound|traffic|uplink|downlink/g;

/**
 * A text that is in whatever a regular expression matches, in RE2's syntax: names that do not have it need not be matched
 * at all, which takes much longer than to search for a text. The most telling one that is easily seen; empty where none is,
 * as in expressions with groups, alternatives or flags.
 *
 * @param pattern - A valid expression.
 */
export function requiredLiteral(pattern: string): string {
  // A group can be optional, one of several, or change what letters mean.
  if (/[|()]/.test(pattern)) return "";
  let best = "";
  let run = "";
  const endRun = (): void => {
    if (weightOf(run) > weightOf(best)) best = run;
    run = "";
  };
  const tokens = pattern.matchAll(
    /\\(?<escaped>.)|(?<set>\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\])|(?<repeat>[*?+]|\{\d+(?:,\d*)?\})|(?<other>.)/gsu,
  );
  for (const { groups } of tokens) {
    const { escaped, repeat, other = "" } = groups ?? {};
    if (escaped !== undefined) {
      // Letters and digits say what kind of character is meant, or begin what is longer.
      if (/[\p{L}\p{N}]/u.test(escaped) && !/[dDwWsSbBAz]/.test(escaped)) return "";
      if (/\w/.test(escaped)) endRun();
      else run += escaped;
    } else if (repeat !== undefined) {
      // It is about the character before it, which may be missing, or be there again: more of the same.
      if (repeat !== "+") run = withoutLast(run);
      endRun();
    } else if (literal.test(other)) {
      run += other;
    } else {
      endRun();
    }
  }
  endRun();
  return best;
}

function weightOf(text: string): number {
  return text.replaceAll(common, "").length;
}

/** By code points: half a surrogate pair is no character. */
function withoutLast(text: string): string {
  return Array.from(text).slice(0, -1).join("");
}

/** What stands for itself in a regular expression: all but the characters that mean something else. */
const literal = /[^\\^$.|?*+()[\]{}]/u;

/** What many names have. */
const common = />|user|inbound|outbound|traffic|uplink|downlink|link/g;

/**
 * A text that is in whatever a regular expression matches, in RE2's syntax: names that do not have it need not be matched
 * at all, which takes much longer than to search for a text. The most telling one that is easily seen; empty where none is,
 * as in expressions that are alternatives, or with flags.
 *
 * @param pattern - A valid expression.
 */
export function requiredLiteral(pattern: string): string {
  let best = "";
  /** What was found before each group that is open, and whether it is one of several. */
  const groups: { readonly before: string; isEither: boolean }[] = [];
  let closed: (typeof groups)[number] | undefined;
  let run = "";
  const endRun = (): void => {
    if (weightOf(run) > weightOf(best)) best = run;
    run = "";
  };
  const tokens = pattern.matchAll(
    /\\(?<escaped>.)|(?<open>\((?:\?(?:P?<\w+>|:))?)|(?<set>\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\])|(?<repeat>[*?+]|\{\d+(?:,\d*)?\})|(?<other>.)/gsu,
  );
  for (const token of tokens) {
    const { escaped, open, repeat, other = "" } = token.groups ?? {};
    const repeated = closed;
    closed = undefined;
    if (escaped !== undefined) {
      // Letters and digits say what kind of character is meant, or begin what is longer.
      if (/[\p{L}\p{N}]/u.test(escaped) && !/[dDwWsSbBAz]/.test(escaped)) return "";
      if (/\w/.test(escaped)) endRun();
      else run += escaped;
    } else if (open !== undefined) {
      // A flag can change what letters mean.
      if (open === "(" && pattern[token.index + 1] === "?") return "";
      endRun();
      groups.push({ before: best, isEither: false });
    } else if (other === ")") {
      endRun();
      closed = groups.pop();
      if (closed?.isEither === true) best = closed.before;
    } else if (other === "|") {
      endRun();
      const group = groups.at(-1);
      if (group === undefined) return "";
      group.isEither = true;
    } else if (repeat !== undefined) {
      // It is about the character or the group before it, which may be missing, or be there again: more of the same.
      if (repeat !== "+") run = withoutLast(run);
      if (repeat !== "+" && repeated !== undefined) best = repeated.before;
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

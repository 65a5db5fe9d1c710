import { countBefore } from "./source-position.js";
import type { SourceToken } from "./shown-source.js";

/** The line at fault as it may be shown to anyone, cut to about a hundred characters. */
export interface SourceExcerpt {
  /** A part of one line, without its line break. */
  readonly text: string;
  /** Where in `text` the fault begins, in UTF-16 code units; at its end if something is missing there. */
  readonly start: number;
  /** How much of `text` is at fault. 0 where something is missing. */
  readonly length: number;
}

/** What is wrong, and where. */
export interface SourceFault {
  /** If it quotes the value at fault, then so does the excerpt. */
  readonly message: string;
  readonly offset: number;
  readonly length: number;
}

/** How much is shown on either side of where a fault begins. */
const maxContext = 50;

/**
 * Shows the line in which a fault begins.
 *
 * @param line - The tokens that begin on it. A fault begins and ends with a token.
 */
export function excerptOf(line: readonly SourceToken[], fault: SourceFault): SourceExcerpt {
  const { offset, length } = fault;
  const first = countBefore(line, (token) => token.offset >= offset);
  const last = countBefore(line, (token) => token.offset >= offset + length);
  // Each token but a line break shows as a character at least: more of them than characters are never needed.
  const show = (from: number, to: number): string =>
    line
      .slice(from, to)
      .map((token) => (isQuoted(token, fault) ? token.text : token.shown))
      .join("");
  const before = show(Math.max(0, first - maxContext - 1), first);
  const within = show(first, Math.min(last, first + maxContext + 1));
  const behind = show(last, last + maxContext + 1).trimEnd();
  // What is at fault may go on below: then this line may end in blanks.
  const atFault = behind === "" ? within.trimEnd() : within;
  const start = cutStart(length === 0 && behind === "" ? before.trimEnd() : before);
  const end = cutEnd(`${atFault}${behind}`);
  return { text: `${start}${end}`, start: start.length, length: Math.min(atFault.length, end.length) };
}

function isQuoted(token: SourceToken, { message, offset, length }: SourceFault): boolean {
  return token.offset === offset && token.text.length === length && message.includes(`got ${token.text}`);
}

/** Without half a surrogate pair at the cut. */
function cutStart(text: string): string {
  return text.length > maxContext ? `…${text.slice(-maxContext).replace(/^\p{Cs}/u, "")}` : text;
}

function cutEnd(text: string): string {
  return text.length > maxContext ? `${text.slice(0, maxContext).replace(/\p{Cs}$/u, "")}…` : text;
}

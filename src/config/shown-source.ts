import { createScanner } from "jsonc-parser";
import { withoutControls } from "./shown-value.js";

/** A token of a config's text. */
export interface SourceToken {
  readonly offset: number;
  readonly text: string;
  /** How it may be shown to anyone. */
  readonly shown: string;
}

/**
 * Takes a config's text apart so that each piece may be shown to anyone.
 *
 * Nobody can tell for sure what in a faulty config is a password. So only keys, punctuation and the words of JSON show as
 * they are: strings, numbers, comments and other words become `…`.
 */
export function scanSource(text: string): readonly SourceToken[] {
  const pieces = splitSource(text);
  const significant = pieces.filter((piece) => !isBlank(piece.text) && !isComment(piece.text));
  const keys = new Set(significant.filter((_, index) => isKey(significant, index)));
  return pieces.map((piece) => ({
    ...piece,
    shown: keys.has(piece) ? withoutControls(piece.text) : show(piece.text),
  }));
}

type SourcePiece = Pick<SourceToken, "offset" | "text">;

function splitSource(text: string): readonly SourcePiece[] {
  const scanner = createScanner(text);
  const pieces: SourcePiece[] = [];
  for (scanner.scan(); scanner.getTokenOffset() < text.length; scanner.scan()) {
    const offset = scanner.getTokenOffset();
    pieces.push({ offset, text: text.slice(offset, offset + scanner.getTokenLength()) });
  }
  return pieces;
}

/** Whether a piece is a string where a key may be, with its colon. */
function isKey(significant: readonly SourcePiece[], index: number): boolean {
  const [before = "", piece = "", behind = ""] = [-1, 0, 1].map((step) => significant[index + step]?.text);
  return piece.startsWith('"') && (before === "{" || before === ",") && behind === ":";
}

/** Only JSON's own blanks: others, such as a no-break space, begin a word. */
function isBlank(text: string): boolean {
  return /^[ \t\r\n]/.test(text);
}

function isComment(text: string): boolean {
  return /^\/[/*]/.test(text);
}

function show(text: string): string {
  if (isBlank(text)) return text.replaceAll("\t", "  ").replaceAll(/[\r\n]/g, "");
  if (isComment(text)) return `${text.slice(0, 2)} …`;
  return /^([{}[\]:,]|true|false|null)$/.test(text) ? text : "…";
}

import type { TextOutput } from "./command.js";

/** The control characters of ASCII and of Latin-1, among which those that a terminal obeys. */
// eslint-disable-next-line no-control-regex -- These are what is looked for.
const controls = /[\u0000-\u001f\u007f-\u009f]/g;

/** Those of them that JSON need not escape. */
const unescaped = /[\u007f-\u009f]/g;

/** Writes control characters as `\u001b`: what a server says is shown, and does nothing to the terminal. */
export function toPrintable(text: string): string {
  return text.replace(controls, escape);
}

/** The same, for a text that is a line. In JSON, which leaves the characters of Latin-1 as they are, it means the same. */
export function toPrintableLine(text: string): string {
  return `${toPrintable(text)}\n`;
}

/**
 * JSON that is to be another program's to the letter: that is what scripts compare, which read a pipe or a file. In a terminal
 * nobody does, but it obeys characters that JSON leaves as they are, DEL and those of Latin-1, and a name of a server may
 * have them; there they are escaped, too, which means the same.
 */
export function toJsonFor({ isTTY = false }: Pick<TextOutput, "isTTY">, json: string): string {
  return isTTY ? json.replace(unescaped, escape) : json;
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** The control characters of ASCII and of Latin-1, among which those that a terminal obeys. */
// eslint-disable-next-line no-control-regex -- These are what is looked for.
const controls = /[\u0000-\u001f\u007f-\u009f]/g;

/** Writes control characters as `\u001b`: what a server says is shown, and does nothing to the terminal. */
export function toPrintable(text: string): string {
  return text.replace(controls, escape);
}

/** The same, for a text that is a line. In JSON, which leaves the characters of Latin-1 as they are, it means the same. */
export function toPrintableLine(text: string): string {
  return `${toPrintable(text)}\n`;
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

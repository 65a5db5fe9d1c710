import { createScanner } from "jsonc-parser";

/** How many lists and objects may stand inside each other. A config needs 6; jsonc-parser recurses. */
export const maxNesting = 100;

/** Finds the bracket that opens one level too many; `undefined` if there is none. Takes no stack itself. */
export function findTooDeepBracket(text: string): number | undefined {
  const scanner = createScanner(text, true);
  let level = 0;
  for (scanner.scan(); scanner.getTokenOffset() < text.length; scanner.scan()) {
    // The first character tells brackets from all other tokens: a string begins with its quote.
    const first = text.charAt(scanner.getTokenOffset());
    if (first === "]" || first === "}") level--;
    if (first === "[" || first === "{") level++;
    if (level > maxNesting) return scanner.getTokenOffset();
  }
  return undefined;
}

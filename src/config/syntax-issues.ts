import { findNodeAtOffset, getNodePath, printParseErrorCode, type Node, type ParseError } from "jsonc-parser";
import type { ConfigIssue } from "./config-error.js";
import { formatConfigPath, type ConfigPath } from "./config-path.js";

/**
 * Makes issues of what jsonc-parser stumbled over. They never quote the text: it may be half a password.
 *
 * @param root - The tree as far as it could be read.
 */
export function toSyntaxIssues(
  text: string,
  root: Node | undefined,
  errors: readonly ParseError[],
): readonly ConfigIssue[] {
  return errors
    .filter((error, index) => !isEcho(text, error, errors[index - 1]))
    .map(({ error, offset, length }) => ({
      path: formatConfigPath(pathAround(text, root, offset)),
      message: `not valid JSON: ${sentences[printParseErrorCode(error)]}`,
      offset,
      length: Math.min(length, text.length - offset),
    }));
}

const sentences: Readonly<Record<ReturnType<typeof printParseErrorCode>, string>> = {
  InvalidSymbol: "text stands in double quotes; the only bare words are true, false and null",
  InvalidNumberFormat: "the number is incomplete",
  PropertyNameExpected: "expected a key in double quotes",
  ValueExpected: "expected a value",
  ColonExpected: "expected a colon between key and value",
  CommaExpected: "expected a comma before this",
  CloseBraceExpected: 'expected a closing "}"',
  CloseBracketExpected: 'expected a closing "]"',
  EndOfFileExpected: "expected nothing after the end of the config",
  InvalidCommentToken: "a comment begins with // or /*",
  UnexpectedEndOfComment: "the comment is not closed by */",
  UnexpectedEndOfString: "the string is not closed by a double quote on its line",
  UnexpectedEndOfNumber: "the number is incomplete",
  InvalidUnicode: "expected four hexadecimal digits after \\u",
  InvalidEscapeCharacter: 'a backslash in a string stands before one of " \\ / b f n r t u',
  InvalidCharacter: "a control character in a string is written as an escape, a tab as \\t",
  "<unknown ParseErrorCode>": "it cannot be read",
};

/**
 * Whether an error is the one before it once more.
 *
 * After a fault jsonc-parser goes on as if it had guessed right, and soon stumbles again: on the same line, at the end
 * of the text where it misses brackets, over the comma that an unclosed string swallowed, or behind the bracket that it took
 * for the end where it missed a colon.
 */
function isEcho(text: string, error: ParseError, previous: ParseError | undefined): boolean {
  if (previous === undefined) return false;
  if (error.offset >= text.trimEnd().length) return true;
  if (!/[\r\n]/.test(text.slice(previous.offset, error.offset))) return true;
  const [code, previousCode] = [error, previous].map((one) => printParseErrorCode(one.error));
  return (
    (previousCode === "UnexpectedEndOfString" && code === "CommaExpected") ||
    (previousCode === "ColonExpected" && code === "EndOfFileExpected")
  );
}

/**
 * The path of the object or list around an offset, or of the value missing there.
 *
 * Never of what stands at the offset: with a colon missing, a password would pass for a key.
 */
function pathAround(text: string, root: Node | undefined, offset: number): ConfigPath {
  let node = root === undefined ? undefined : findNodeAtOffset(root, offset, true);
  while (node !== undefined && !isAround(text, node, offset)) node = node.parent;
  if (node === undefined) return [];
  const [key, value] = node.children?.findLast((child) => child.offset <= offset)?.children ?? [];
  const colonIsRead =
    key !== undefined && value === undefined && (key.parent?.colonOffset ?? offset) < offset;
  return colonIsRead ? [...getNodePath(node), String(key.value)] : getNodePath(node);
}

function isAround(text: string, { type, offset: start, length }: Node, offset: number): boolean {
  if ((type !== "object" && type !== "array") || start >= offset) return false;
  // One that lacks its bracket ends where reading ended, and what is missing there is missing in it.
  return offset < start + length || text.charAt(start + length - 1) !== (type === "object" ? "}" : "]");
}

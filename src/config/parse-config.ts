import { parseTree, type Node, type ParseError } from "jsonc-parser";
import { checkConfig } from "./check-config.js";
import { ConfigError, type ConfigIssue } from "./config-error.js";
import { formatConfigPath } from "./config-path.js";
import type { Config } from "./config.js";
import type { Finding } from "./finding.js";
import { findTooDeepBracket, maxNesting } from "./nesting.js";
import { scanSource, type SourceToken } from "./shown-source.js";
import { excerptOf } from "./source-excerpt.js";
import { findLineStarts, positionOf } from "./source-position.js";
import { findRepeatedKeys, locate, toValue, type RepeatedKey } from "./source-tree.js";
import { toSyntaxIssues } from "./syntax-issues.js";

/**
 * Reads a config from its text: JSON with comments and trailing commas. A byte order mark is skipped.
 *
 * @throws ConfigError with everything that is wrong. While the text is not JSON, that is its syntax alone: the rest
 * would be guesses. Lists and objects more than 100 levels deep are refused.
 */
export function parseConfig(text: string): Config {
  const source = text.replace(/^\uFEFF/, "");
  const root = parseSource(source);
  const { config, findings } = checkConfig(toValue(root));
  const issues = [
    ...findRepeatedKeys(root).map(repeatedKeyIssue),
    ...findings.map((finding) => findingIssue(root, finding)),
  ];
  if (config === undefined || issues.length > 0) {
    const sorted = issues.toSorted((a, b) => a.offset - b.offset);
    throw new ConfigError(withSource(source, sorted));
  }
  return config;
}

function parseSource(text: string): Node {
  const tooDeep = findTooDeepBracket(text);
  if (tooDeep !== undefined) {
    const message = `expected at most ${maxNesting} lists and objects inside each other`;
    const issue = { path: "", message, offset: tooDeep, length: 1 };
    throw new ConfigError(withSource(text, [issue]));
  }
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  if (root === undefined || errors.length > 0) {
    throw new ConfigError(withSource(text, toSyntaxIssues(text, root, errors)));
  }
  return root;
}

/** Adds to each issue where it stands and what stands there. */
function withSource(text: string, issues: readonly ConfigIssue[]): ConfigIssue[] {
  const lineStarts = findLineStarts(text);
  const lines: SourceToken[][] = lineStarts.map(() => []);
  for (const token of scanSource(text)) lines[positionOf(lineStarts, token.offset).line - 1]?.push(token);
  return issues.map((issue) => {
    const position = positionOf(lineStarts, issue.offset);
    return { ...issue, position, excerpt: excerptOf(lines[position.line - 1] ?? [], issue) };
  });
}

function repeatedKeyIssue({ path, span }: RepeatedKey): ConfigIssue {
  return { path: formatConfigPath(path), message: "this key is already given; expected it once", ...span };
}

function findingIssue(root: Node, { path, message, at }: Finding): ConfigIssue {
  return { path: formatConfigPath(path), message, ...locate(root, path, at) };
}

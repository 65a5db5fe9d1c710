import { parseTree, type Node, type ParseError } from "jsonc-parser";
import { checkConfig } from "./check-config.js";
import { ConfigError, type ConfigIssue } from "./config-error.js";
import { formatConfigPath } from "./config-path.js";
import type { Config } from "./config.js";
import type { Finding } from "./finding.js";
import { findTooDeepBracket, maxNesting } from "./nesting.js";
import { findRepeatedKeys, locate, toValue, type RepeatedKey } from "./source-tree.js";
import { toSyntaxIssues } from "./syntax-issues.js";

/**
 * Reads a config from its text: JSON with comments and trailing commas. A byte order mark is skipped.
 *
 * @throws ConfigError with everything that is wrong. While the text is not JSON, that is its syntax alone: the rest
 * would be guesses. Lists and objects more than 100 levels deep are refused.
 */
export function parseConfig(text: string): Config {
  // A blank in place of the mark, so that offsets are those of the given text.
  const root = parseSource(text.replace(/^\uFEFF/, " "));
  const { config, findings } = checkConfig(toValue(root));
  const issues = [
    ...findRepeatedKeys(root).map(repeatedKeyIssue),
    ...findings.map((finding) => findingIssue(root, finding)),
  ];
  if (config === undefined || issues.length > 0) {
    throw new ConfigError(issues.toSorted((a, b) => a.offset - b.offset));
  }
  return config;
}

function parseSource(text: string): Node {
  const tooDeep = findTooDeepBracket(text);
  if (tooDeep !== undefined) {
    const message = `expected at most ${maxNesting} lists and objects inside each other`;
    throw new ConfigError([{ path: "", message, offset: tooDeep, length: 1 }]);
  }
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  if (root === undefined || errors.length > 0) throw new ConfigError(toSyntaxIssues(text, root, errors));
  return root;
}

function repeatedKeyIssue({ path, span }: RepeatedKey): ConfigIssue {
  return { path: formatConfigPath(path), message: "this key is already given; expected it once", ...span };
}

function findingIssue(root: Node, { path, message, at }: Finding): ConfigIssue {
  return { path: formatConfigPath(path), message, ...locate(root, path, at) };
}

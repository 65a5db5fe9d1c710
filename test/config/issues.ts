import { AssertionError } from "node:assert";
import { ConfigError, formatIssue, type ConfigIssue } from "../../src/config/config-error.js";
import { parseConfig } from "../../src/config/parse-config.js";
import { toConfig } from "../../src/config/to-config.js";

/** What is wrong with a config's value: one `path: message` for each issue. None if it is fine. */
export function issueLines(value: unknown): readonly string[] {
  return issuesOf(() => toConfig(value)).map(formatIssue);
}

/** The same for a config's text, without line and column. */
export function textIssueLines(text: string): readonly string[] {
  return issuesOf(() => parseConfig(text)).map((issue) => formatIssue({ ...issue, position: undefined }));
}

/** Where a config's text is wrong: one `line:column: path` for each issue. */
export function issuePlaces(text: string): readonly string[] {
  return configErrorOf(() => parseConfig(text)).issues.map(({ path, position }) =>
    [`${position?.line}:${position?.column}`, ...(path === "" ? [] : [path])].join(": "),
  );
}

/** The paths of what is wrong with a config's text, each with the source text that its offset and length mean. */
export function blamedText(text: string): readonly (readonly [path: string, blamed: string])[] {
  return configErrorOf(() => parseConfig(text)).issues.map(({ path, offset, length }) => [
    path,
    text.slice(offset, offset + length),
  ]);
}

/** The error that something throws; any other outcome fails the test. */
export function configErrorOf(run: () => unknown): ConfigError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new AssertionError({ message: "a ConfigError was expected" });
}

function issuesOf(run: () => unknown): readonly ConfigIssue[] {
  try {
    run();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
}

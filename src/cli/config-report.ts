import { formatIssue, type ConfigError, type ConfigIssue } from "../config/config-error.js";

export interface ConfigReportOptions {
  /** Whether the source lines are shown, with a caret under what is wrong: for people, not for programs. */
  readonly withExcerpts: boolean;
}

/** Writes what is wrong with a config, an issue a line, with its place in the file as editors and terminals link it. */
export function formatConfigReport(
  path: string,
  { issues }: ConfigError,
  { withExcerpts }: ConfigReportOptions,
): string {
  const lines = issues.flatMap((issue) => [
    issue.position === undefined ? formatIssue(issue) : `${path}:${formatIssue(issue)}`,
    ...(withExcerpts ? excerptLines(issue) : []),
  ]);
  const count = `${path}: ${issues.length} ${issues.length === 1 ? "error" : "errors"}`;
  return [count, ...lines, ""].join("\n");
}

function excerptLines({ position, excerpt }: ConfigIssue): readonly string[] {
  if (position === undefined || excerpt === undefined) return [];
  const { text, start, length } = excerpt;
  const number = String(position.line);
  const carets = "^".repeat(Math.max(1, length));
  return [`  ${number} | ${text}`, `  ${" ".repeat(number.length)} | ${" ".repeat(start)}${carets}`];
}

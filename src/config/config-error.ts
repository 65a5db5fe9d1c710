import type { SourceExcerpt } from "./source-excerpt.js";
import type { SourcePosition } from "./source-position.js";

/** One thing that is wrong with a config. */
export interface ConfigIssue {
  /** Where: `inbounds[0].users[1].username`. Empty for the config as a whole. */
  readonly path: string;
  /** What is wrong and what is expected, in words. Never a password or a secret. */
  readonly message: string;
  /**
   * Where the text at fault begins, in UTF-16 code units from the start of the source, not counting a byte order
   * mark. 0 if there is no source text.
   *
   * That text may be a password: `message` and `excerpt` may be printed as they are, the text may not.
   */
  readonly offset: number;
  /** How many UTF-16 code units of the source are at fault. 0 at the end of the text, or if there is no source text. */
  readonly length: number;
  /** Line and column of `offset`; absent if there is no source text. */
  readonly position?: SourcePosition | undefined;
  /** The line at fault, for a person to look at; absent if there is no source text. */
  readonly excerpt?: SourceExcerpt | undefined;
}

/**
 * A config that cannot be used: unreadable, not JSON, or with wrong values.
 *
 * It carries everything that is wrong at once. Its message has one line for each issue, `12:34: path: message` with the
 * line and column where there is a source text.
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** Tells this error from others. */
  readonly code = "INVALID_CONFIG";
  /** At least one, in the order of the source text. */
  readonly issues: readonly ConfigIssue[];

  /**
   * @param issues - At least one.
   * @param options - `cause`: the error of the system, if the file could not be read.
   */
  constructor(issues: readonly ConfigIssue[], options?: ErrorOptions) {
    super(issues.map(formatIssue).join("\n"), options);
    this.issues = issues;
  }
}

/** Writes an issue in one line, without its excerpt. */
export function formatIssue({ path, message, position }: ConfigIssue): string {
  const where = position === undefined ? "" : `${position.line}:${position.column}: `;
  return path === "" ? `${where}${message}` : `${where}${path}: ${message}`;
}

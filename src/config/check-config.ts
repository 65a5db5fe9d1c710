import { configSchema, type Config } from "./config.js";
import { findExposedApi } from "./exposed-api.js";
import { findExposedInbounds } from "./exposed-inbounds.js";
import type { Finding } from "./finding.js";
import type { Place } from "./place.js";
import { findUnknownReferences } from "./references.js";
import { fromSchemaIssue } from "./schema-issues.js";
import { findRepeatedListeners } from "./unique-listeners.js";
import { findRepeatedSecrets, findRepeatedTags, findRepeatedUsers } from "./unique-names.js";

/** What came of checking: a config with no findings, or findings and no config. */
export interface CheckedConfig {
  readonly config: Config | undefined;
  readonly findings: readonly Finding[];
}

/**
 * Checks a config's value as a whole.
 *
 * The cross-checks read the value as it was written, so that they find their faults also while the schema still has
 * something to complain about elsewhere. Never throws.
 */
export function checkConfig(value: unknown): CheckedConfig {
  const root: Place = { path: [], value };
  const { data, error } = configSchema.safeParse(value);
  const findings = [
    ...(error?.issues ?? []).flatMap((issue) => fromSchemaIssue(root, issue)),
    ...findRepeatedTags(root),
    ...findRepeatedUsers(root),
    ...findRepeatedSecrets(root),
    ...findExposedApi(root),
    ...findExposedInbounds(root),
    ...findRepeatedListeners(root),
    ...findUnknownReferences(root),
  ];
  return { config: findings.length === 0 ? data : undefined, findings };
}

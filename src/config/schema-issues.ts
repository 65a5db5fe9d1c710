import type { z } from "zod";
import type { ConfigPath } from "./config-path.js";
import type { Finding } from "./finding.js";
import { placeOf, type Place } from "./place.js";
import { showKind, showValue } from "./shown-value.js";
import { isUnsupportedKey, isUnsupportedValue } from "./unsupported.js";

/**
 * Makes a sentence of what the schema refused.
 *
 * @param root - The value as it was written, before the schema filled in anything.
 * @param issue - Its message says what is expected: every schema of this folder brings one.
 * @returns One finding, or one for each unknown key.
 */
export function fromSchemaIssue(root: Place, issue: z.core.$ZodIssue): readonly Finding[] {
  const place = placeOf(root, issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: [...place.path, key],
      message: `${isUnsupportedKey(place.path, key) ? notSupported : "unknown key"}; expected ${issue.message}`,
      at: "key",
    }));
  }
  return [{ path: place.path, message: sentenceFor(place, issue), at: "value" }];
}

/** Said of what sing-box has. */
const notSupported = "not supported here";

function sentenceFor({ path, value }: Place, issue: z.core.$ZodIssue): string {
  if (value === undefined) return `missing; expected ${issue.message}`;
  const isRightKind = issue.code === "custom" && typeof value === "object";
  if (isRightKind || path.some(isSecretKey) || isLogin(path, value)) return `expected ${issue.message}`;
  // "alice:secret" in place of a user object is a password, too.
  const prefix = isUnsupportedValue(path, value) ? `${notSupported}; ` : "";
  const objectExpected = issue.code === "invalid_type" && issue.expected === "object";
  return `${prefix}expected ${issue.message}, got ${objectExpected ? showKind(value) : showValue(value)}`;
}

/** A user name with a colon may have the password behind it. */
function isLogin(path: ConfigPath, value: unknown): boolean {
  return path.at(-1) === "username" && typeof value === "string" && value.includes(":");
}

function isSecretKey(segment: string | number): boolean {
  return typeof segment === "string" && /password|secret/i.test(segment);
}

import type { LogFields } from "../log/logger.js";
import type { ConfigDiff, NameChanges } from "./config-diff.js";

/** How many names of one kind a log line shows. */
const maxShown = 20;

/** Writes what a diff does as the fields of a log line: names only, and a bounded number of them. */
export function summarizeDiff({ inbounds, outbounds, users, isApiChanged, sections }: ConfigDiff): LogFields {
  const summarize = (kind: keyof NameChanges, others: readonly string[] = []): string | undefined => {
    const parts = [
      ...named("inbound", inbounds[kind]),
      ...named("outbound", outbounds[kind]),
      ...Array.from(users, ([tag, changes]) => named(`inbound ${tag}: user`, changes[kind])).flat(),
      ...others,
    ];
    return parts.length === 0 ? undefined : parts.join("; ");
  };
  return {
    added: summarize("added"),
    changed: summarize("changed", [...(isApiChanged ? ["v2ray_api"] : []), ...sections]),
    removed: summarize("removed"),
  };
}

/** `inbound a`, or `inbounds a, b and 7 more`. */
function named(what: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, maxShown).join(", ");
  const rest = names.length > maxShown ? ` and ${names.length - maxShown} more` : "";
  return [`${what}${names.length === 1 ? "" : "s"} ${shown}${rest}`];
}

import type { LogFields } from "../log/logger.js";
import type { ConfigDiff, NameChanges } from "./config-diff.js";

/** How many names of one kind a log line shows. */
const maxShown = 20;

/** Writes what a diff does as the fields of a log line: names only, and a bounded number of them. */
export function summarizeDiff({ inbounds, outbounds, users, sections, ...diff }: ConfigDiff): LogFields {
  const summarize = (kind: keyof NameChanges, others: readonly string[] = []): string | undefined => {
    const parts = [
      ...named("inbound", inbounds[kind]),
      ...named("outbound", outbounds[kind]),
      ...namedUsers(Array.from(users, ([tag, changes]) => ({ tag, names: changes[kind] }))),
      ...others,
    ];
    return parts.length === 0 ? undefined : parts.join("; ");
  };
  const isApiAnother = diff.isApiChanged || diff.isApiMoved;
  return {
    added: summarize("added"),
    changed: summarize("changed", [...(isApiAnother ? ["v2ray_api"] : []), ...sections]),
    removed: summarize("removed"),
  };
}

/** Those of each inbound, so many over all of them; of the others only how many there are. */
function namedUsers(
  inbounds: readonly { readonly tag: string; readonly names: readonly string[] }[],
): readonly string[] {
  let [room, restCount] = [maxShown, 0];
  const parts = inbounds.flatMap(({ tag, names }) => {
    if (room === 0) restCount += names.length;
    const shown = room === 0 ? [] : named(`inbound ${tag}: user`, names, room);
    room = Math.max(0, room - names.length);
    return shown;
  });
  return restCount === 0 ? parts : [...parts, `${restCount} more user${restCount === 1 ? "" : "s"}`];
}

/** `inbound a`, or `inbounds a, b and 7 more`. */
function named(what: string, names: readonly string[], most = maxShown): readonly string[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, most).join(", ");
  const rest = names.length > most ? ` and ${names.length - most} more` : "";
  return [`${what}${names.length === 1 ? "" : "s"} ${shown}${rest}`];
}

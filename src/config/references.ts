import { everyName } from "../track/stats-tracker.js";
import type { Finding } from "./finding.js";
import { defaultOutbound } from "./outbounds.js";
import { childOf, isObject, itemsOf, textAt, type Place } from "./place.js";
import { showChoices, showValue } from "./shown-value.js";
import { taggedItems } from "./tagged-items.js";

/** Finds names of inbounds, outbounds and users that do not exist. */
export function findUnknownReferences(config: Place): readonly Finding[] {
  const stats = childOf(childOf(childOf(config, "experimental"), "v2ray_api"), "stats");
  const route = childOf(config, "route");
  const rules = itemsOf(childOf(route, "rules"));
  const inbounds = knownInbounds(config);
  const outbounds = knownOutbounds(config);
  const users = knownUsers(config);
  return [
    ...unknown(inbounds, namesIn(rules, "inbound")),
    ...unknown(users, namesIn(rules, "auth_user")),
    ...unknown(outbounds, namesIn(rules.filter(isRouting), "outbound")),
    ...unknown(outbounds, [childOf(route, "final")]),
    ...unknown(inbounds, itemsOf(childOf(stats, "inbounds")), everyName),
    ...unknown(outbounds, itemsOf(childOf(stats, "outbounds")), everyName),
    ...unknown(users, itemsOf(childOf(stats, "users")), everyName),
  ];
}

/** Others have no outbound, whatever its name. */
function isRouting(rule: Place): boolean {
  const { value: action } = childOf(rule, "action");
  return action === undefined || action === "route";
}

function namesIn(rules: readonly Place[], key: string): readonly Place[] {
  return rules.flatMap((rule) => itemsOf(childOf(rule, key)));
}

/** The names there are to refer to. One that is `undefined` could not be read. */
interface KnownNames {
  readonly what: string;
  readonly names: readonly (string | undefined)[];
}

function knownInbounds(config: Place): KnownNames {
  return { what: "the tag of an inbound", names: taggedItems(config, "inbounds").map(({ tag }) => tag) };
}

function knownOutbounds(config: Place): KnownNames {
  const outbounds = taggedItems(config, "outbounds");
  const names = outbounds.length === 0 ? [defaultOutbound.tag] : outbounds.map(({ tag }) => tag);
  return { what: "the tag of an outbound", names };
}

function knownUsers(config: Place): KnownNames {
  const names = itemsOf(childOf(config, "inbounds")).flatMap((inbound) => {
    if (!isObject(inbound.value)) return [undefined];
    return itemsOf(childOf(inbound, "users")).map((user) => textAt(childOf(user, "username")));
  });
  return { what: "a user name of some inbound", names };
}

/** @param wildcard - What may stand for a name though it is none. Default: nothing. */
function unknown(
  { what, names }: KnownNames,
  references: readonly Place[],
  wildcard?: string,
): readonly Finding[] {
  const known = new Set(names);
  // As long as some name cannot be read, that may be the one that is meant: its own issue is enough.
  if (known.has(undefined)) return [];
  const choices = [...known].filter((name) => name !== undefined).filter((name) => name !== "");
  const named = `${what} (${choices.length === 0 ? "there is none" : showChoices(choices)})`;
  const expected = wildcard === undefined ? named : `${named} or ${showValue(wildcard)}`;
  return references.flatMap((reference) => {
    const name = textAt(reference);
    if (name === undefined || known.has(name) || name === wildcard) return [];
    return [{ path: reference.path, message: `expected ${expected}, got ${showValue(name)}`, at: "value" }];
  });
}

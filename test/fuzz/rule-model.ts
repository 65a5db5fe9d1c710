import type { SpelledFacts, SpelledName, SpelledPrefix, SpelledRule, SpelledSuffix } from "./rule-inputs.js";
import { asciiLabels } from "./rule-inputs.js";

/*
 * Rules as one would explain them: everything is compared with everything, in the plainest way.
 */

/** What a rule should say. */
export function shouldMatch(rule: SpelledRule, facts: SpelledFacts): boolean {
  const { inbounds, users, networks, sources, ports, ranges, invert = false } = rule;
  const isMet =
    (inbounds === undefined || inbounds.some((inbound) => inbound === facts.inbound)) &&
    (users === undefined || users.some((user) => user === facts.user)) &&
    (networks === undefined || networks.some((network) => network === facts.network)) &&
    (sources === undefined || sources.some((prefix) => isUnder(prefix, facts.source.bytes))) &&
    ((ports === undefined && ranges === undefined) ||
      (ports ?? []).some((port) => port === facts.port) ||
      (ranges ?? []).some(({ first, last }) => first <= facts.port && facts.port <= last)) &&
    meetsDestination(rule, facts);
  return invert ? !isMet : isMet;
}

function meetsDestination(rule: SpelledRule, { host }: SpelledFacts): boolean {
  const { domains, suffixes, keywords, prefixes } = rule;
  if ([domains, suffixes, keywords, prefixes].every((list) => list === undefined)) return true;
  return "name" in host ? hasName(rule, host.name) : hasAddress(prefixes ?? [], host.address.bytes);
}

/** Whether some names, suffixes and keywords are about a name. */
export function hasName(
  { domains = [], suffixes = [], keywords = [] }: SpelledRule,
  name: SpelledName,
): boolean {
  const asWritten = name.labels.join(".");
  const asLookedUp = name.labels.map((label) => asciiLabels[label]).join(".");
  return (
    domains.some(({ labels }) => labels.join(".") === asWritten) ||
    suffixes.some((suffix) => isEndOf(suffix, name)) ||
    keywords.some((keyword) => asWritten.includes(keyword) || asLookedUp.includes(keyword))
  );
}

function isEndOf({ labels: end, isDotted }: SpelledSuffix, { labels }: SpelledName): boolean {
  if (labels.length < end.length + (isDotted ? 1 : 0)) return false;
  return labels.slice(labels.length - end.length).join(".") === end.join(".");
}

/** Whether an address is under some prefix. */
export function hasAddress(prefixes: readonly SpelledPrefix[], bytes: readonly number[]): boolean {
  return prefixes.some((prefix) => isUnder(prefix, bytes));
}

function isUnder(prefix: SpelledPrefix, bytes: readonly number[]): boolean {
  if (prefix.bytes.length !== bytes.length) return false;
  return bitsOf(prefix.bytes).slice(0, prefix.length) === bitsOf(bytes).slice(0, prefix.length);
}

function bitsOf(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
}

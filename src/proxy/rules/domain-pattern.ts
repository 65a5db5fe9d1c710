import { isPlausibleHost } from "../plausible-host.js";
import { toRuleHost } from "./rule-host.js";

/*
 * What a rule can say about names. Each function reads one value into the spelling in which names are compared, and
 * returns `undefined` for what no name could ever fit.
 */

/** Reads a whole name: `example.com`. */
export function parseDomain(text: string): string | undefined {
  const host = toRuleHost(text);
  if (host.kind === "address" || !isPartOfHost(text)) return undefined;
  return /^[\w-]+(?:\.[\w-]+)*$/.test(host.name) ? host.name : undefined;
}

/** Reads the end of a name: `example.com` is that name and all below it, `.example.com` only those below it. */
export function parseDomainSuffix(text: string): string | undefined {
  if (!text.startsWith(".")) return parseDomain(text);
  const domain = parseDomain(text.slice(1));
  return domain === undefined ? undefined : `.${domain}`;
}

/** Reads what stands anywhere in a name: `ample.c`. */
export function parseDomainKeyword(text: string): string | undefined {
  return isPartOfHost(text) ? text.normalize("NFKC").toLowerCase() : undefined;
}

/** Letters and digits of any script, hyphens, underscores and dots: neither a URL nor a port, and no `*`. */
function isPartOfHost(text: string): boolean {
  return isPlausibleHost(text) && /^[\w.\-\u0080-\u{10ffff}]+$/u.test(text.normalize("NFKC"));
}

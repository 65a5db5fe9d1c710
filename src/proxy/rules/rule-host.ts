import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { parseIpAddress, type IpAddress } from "./ip-prefix.js";

/** A host as rules compare it: the address that it is, or its name in lower case and ASCII, without a dot at its end. */
export type RuleHost =
  | { readonly kind: "address"; readonly address: IpAddress }
  | { readonly kind: "name"; readonly name: string };

/**
 * Reads a host as the resolver takes it, so that no other spelling of it dodges a rule.
 *
 * Node maps names by IDNA before it looks them up (UTS #46: `ＥＸＡＭＰＬＥ.com` is example.com, `bücher.de` is
 * xn--bcher-kva.de), and what looks like a number afterwards is an address to the operating system (`127.1` and
 * `0x7f000001` are 127.0.0.1). Nothing is looked up here: a name stays a name, whatever addresses it has.
 */
export function toRuleHost(host: string): RuleHost {
  const mapped = isAscii(host) ? host.toLowerCase() : toAscii(host);
  const address = parseIpAddress(mapped) ?? parseNumbers(mapped);
  if (address !== undefined) return { kind: "address", address };
  return { kind: "name", name: withoutSpecials(mapped.replace(/\.$/, "")) };
}

function toAscii(host: string): string {
  const folded = host.normalize("NFKC");
  const literal = folded.replaceAll(/\p{Default_Ignorable_Code_Point}/gu, "");
  if (isIP(literal) !== 0) return literal;
  // The parser of URLs, who alone offers the mapping, would take numbers for an address but for the label behind them.
  const mapped = domainToASCII(`${withoutSpecials(folded)}.x`);
  // Empty: a name that IDNA does not allow, which the resolver refuses, too.
  return mapped === "" ? folded.toLowerCase() : mapped.slice(0, -2);
}

/** Reads one to four numbers, decimal, octal with a 0 before them or hexadecimal, as inet_aton(3) does. */
function parseNumbers(host: string): IpAddress | undefined {
  const areNumbers = /^(?:0x[\da-f]+|\d+)(?:\.(?:0x[\da-f]+|\d+)){0,3}$/.test(host);
  return areNumbers ? parseIpAddress(domainToASCII(host)) : undefined;
}

function isAscii(text: string): boolean {
  return !/[\u0080-\uffff]/.test(text);
}

/** Blots out what no name of a host has and what has a meaning in URLs: there, the host would end at it. */
function withoutSpecials(host: string): string {
  return host.replaceAll(/[^\w.\-\u0080-\uffff]/g, "_");
}

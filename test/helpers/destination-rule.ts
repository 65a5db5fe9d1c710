import { formatEndpoint, type Endpoint } from "../../src/net/endpoint.js";
import type { Outbound } from "../../src/proxy/outbound.js";
import type { RouteFacts } from "../../src/proxy/rules/rule-matcher.js";
import { Rule } from "../../src/proxy/rules/rule.js";

/** A rule that notes what it is asked, and sends what is for one destination to an outbound. */
export function ruleTo(
  wanted: Endpoint,
  outbound: Outbound,
): { readonly rule: Rule; readonly asked: RouteFacts[] } {
  const rule = new Rule({ outbound });
  const asked: RouteFacts[] = [];
  const matches = (facts: RouteFacts): boolean => {
    asked.push(facts);
    return formatEndpoint(facts.destination) === formatEndpoint(wanted);
  };
  Object.defineProperty(rule, "matches", { value: matches });
  return { rule, asked };
}

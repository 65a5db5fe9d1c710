import type { Config } from "./config/config.js";
import type { RuleConfig } from "./config/rules.js";
import type { Outbound } from "./proxy/outbound.js";
import type { RoutesOptions } from "./proxy/routes.js";
import type { RuleConditions } from "./proxy/rules/rule-matcher.js";
import { rejectOutbound, Rule } from "./proxy/rules/rule.js";

/** The rules that a config describes. Without `route.final` the first outbound is the final one, as in sing-box. */
export function toRoutes({ route }: Config, outbounds: readonly Outbound[]): RoutesOptions {
  const byTag = new Map(outbounds.map((outbound) => [outbound.tag, outbound]));
  const outboundOf = (tag: string | undefined): Outbound => {
    const outbound = byTag.get(tag ?? "");
    if (outbound === undefined) throw new RangeError(`there is no outbound ${String(tag)}`);
    return outbound;
  };
  return {
    rules: route.rules.map((rule) => {
      const outbound = rule.action === "reject" ? rejectOutbound : outboundOf(rule.outbound);
      return new Rule({ ...toConditions(rule), outbound });
    }),
    final: outboundOf(route.final ?? outbounds[0]?.tag),
  };
}

function toConditions(rule: RuleConfig): RuleConditions {
  return {
    inbounds: rule.inbound,
    users: rule.auth_user,
    networks: rule.network,
    domains: rule.domain,
    domainSuffixes: rule.domain_suffix,
    domainKeywords: rule.domain_keyword,
    ipCidrs: rule.ip_cidr,
    ipIsPrivate: rule.ip_is_private,
    sourceIpCidrs: rule.source_ip_cidr,
    ports: rule.port,
    portRanges: rule.port_range,
    invert: rule.invert,
  };
}

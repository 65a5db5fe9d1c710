import type { ConnectionMetadata } from "../../track/connection-tracker.js";
import type { Network } from "../../track/network.js";
import { AddressSet } from "./address-set.js";
import { DomainSet } from "./domain-set.js";
import { parseIpAddress } from "./ip-prefix.js";
import { PortSet } from "./port-set.js";
import { privatePrefixes } from "./private-prefixes.js";
import { toRuleHost } from "./rule-host.js";

/** What is known of a connection before its outbound is chosen. */
export type RouteFacts = Pick<ConnectionMetadata, "inbound" | "user" | "network" | "source" | "destination">;

/**
 * What a connection has to be. A condition that is not given is met by all; one that is given, by what is listed.
 *
 * They combine as in sing-box: (one of the domains, suffixes, keywords, CIDRs, or private) and (one of the ports or port
 * ranges) and each of the others.
 */
export interface RuleConditions {
  /** Tags of inbounds. */
  readonly inbounds?: readonly string[] | undefined;
  /** Names of users. */
  readonly users?: readonly string[] | undefined;
  readonly networks?: readonly Network[] | undefined;
  /** Names of destinations; those that are addresses have none, and names are not looked up. */
  readonly domains?: readonly string[] | undefined;
  /** `example.com` is it and all below it, `.example.com` only what is below it. */
  readonly domainSuffixes?: readonly string[] | undefined;
  readonly domainKeywords?: readonly string[] | undefined;
  /** CIDRs or addresses of destinations that are addresses. */
  readonly ipCidrs?: readonly string[] | undefined;
  /** Whether the destination may be any address that is not public. Default: false. */
  readonly ipIsPrivate?: boolean | undefined;
  readonly sourceIpCidrs?: readonly string[] | undefined;
  readonly ports?: readonly number[] | undefined;
  /** `1000:2000`, `:3000`, `4000:`. */
  readonly portRanges?: readonly string[] | undefined;
  /** Turns the answer round. Default: false. */
  readonly invert?: boolean | undefined;
}

/** Says whether a connection meets some conditions. */
export type RuleMatcher = (facts: RouteFacts) => boolean;

/** @throws RangeError where a name, CIDR or port range is malformed. */
export function createRuleMatcher(conditions: RuleConditions): RuleMatcher {
  const { inbounds, users, networks, invert = false } = conditions;
  // The cheap ones first.
  const matchers = [
    oneOf(inbounds, ({ inbound }) => inbound),
    oneOf(users, ({ user }) => user),
    oneOf(networks, ({ network }) => network),
    byPort(conditions),
    bySource(conditions),
    byDestination(conditions),
  ].filter((matcher) => matcher !== undefined);
  return (facts) => matchers.every((matches) => matches(facts)) !== invert;
}

function oneOf(
  values: readonly string[] | undefined,
  valueOf: (facts: RouteFacts) => string | undefined,
): RuleMatcher | undefined {
  if (values === undefined) return undefined;
  const known = new Set<string | undefined>(values);
  return (facts) => known.has(valueOf(facts));
}

function byPort({ ports, portRanges: ranges }: RuleConditions): RuleMatcher | undefined {
  if (ports === undefined && ranges === undefined) return undefined;
  const known = new PortSet({ ports, ranges });
  return ({ destination }) => known.has(destination.port);
}

function bySource({ sourceIpCidrs: cidrs }: RuleConditions): RuleMatcher | undefined {
  if (cidrs === undefined) return undefined;
  const known = new AddressSet(cidrs);
  return ({ source }) => {
    const address = parseIpAddress(source.host);
    return address !== undefined && known.has(address);
  };
}

function byDestination(conditions: RuleConditions): RuleMatcher | undefined {
  const { domains, domainSuffixes: suffixes, domainKeywords: keywords } = conditions;
  const { ipCidrs, ipIsPrivate = false } = conditions;
  const lists = [domains, suffixes, keywords, ipCidrs];
  if (lists.every((list) => list === undefined) && !ipIsPrivate) return undefined;
  const names = new DomainSet({ domains, suffixes, keywords });
  const addresses = new AddressSet([...(ipCidrs ?? []), ...(ipIsPrivate ? privatePrefixes : [])]);
  return ({ destination }) => {
    const host = toRuleHost(destination.host);
    return host.kind === "name" ? names.has(host.name) : addresses.has(host.address);
  };
}

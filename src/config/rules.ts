import { z } from "zod";
import { parseDomain, parseDomainKeyword, parseDomainSuffix } from "../proxy/rules/domain-pattern.js";
import { parseIpPrefix } from "../proxy/rules/ip-prefix.js";
import { parsePortRange } from "../proxy/rules/port-set.js";
import { networks } from "../track/network.js";
import { flagField, portField, textField } from "./fields.js";
import { listOrOne } from "./list-or-one.js";
import { oneOf, section } from "./section.js";

/** An entry of `route.rules`: which connections it is about, and what becomes of them. */
export type RuleConfig = z.output<typeof ruleSchema>;

/** A condition that is met by any of its values. */
function anyOf<Item extends z.ZodType>(item: Item, what: string) {
  return listOrOne(item)
    .refine((values) => values.length > 0, { error: `at least one ${what}` })
    .optional()
    .describe(item.description ?? "");
}

function domainField(about: string, expected: string, parse: (text: string) => string | undefined) {
  return anyOf(
    textField(about, expected, (text) => parse(text) !== undefined),
    "name",
  );
}

function cidrField(about: string) {
  const expected = 'an IP address or CIDR, such as "192.0.2.1" or "2001:db8::/32"';
  return anyOf(
    textField(about, expected, (text) => parseIpPrefix(text) !== undefined),
    "address",
  );
}

const actions = ["route", "reject"] as const;

const conditions = {
  inbound: anyOf(
    textField("The connection entered by one of these inbounds.", "the tag of an inbound"),
    "name",
  ),
  network: anyOf(
    z.enum(networks, { error: oneOf(networks) }).describe("It is a TCP connection, or UDP packets."),
    "network",
  ),
  auth_user: anyOf(
    textField("The client logged in as one of these users.", "a user name of some inbound"),
    "name",
  ),
  domain: domainField(
    "The destination has one of these names. Case, a dot at the end and the spelling of international names do not matter; a destination that is an IP address has no name.",
    'a domain name, such as "example.com" (no address, port, URL or "*")',
    parseDomain,
  ),
  domain_suffix: domainField(
    'The destination\'s name is or ends in one of these: "example.com" is that name and all below it, ".example.com" only those below it.',
    'a domain name, such as "example.com" or ".example.com" (no address, port, URL or "*")',
    parseDomainSuffix,
  ),
  domain_keyword: domainField(
    "The destination's name contains one of these, as it is looked up (`xn--bcher-kva.de`) or as people write it (`bücher.de`).",
    'a part of a domain name, such as "ample" (no port, URL or "*")',
    parseDomainKeyword,
  ),
  source_ip_cidr: cidrField("The client connected from one of these."),
  ip_cidr: cidrField(
    "The destination is an IP address under one of these. Names are not looked up for this: it is no guard against names that lead to such addresses. An IPv4-mapped IPv6 address is the IPv4 address.",
  ),
  ip_is_private: flagField(
    "Whether the destination may also be any IP address that is not public: private (RFC 1918, fc00::/7), loopback, link-local, multicast or unspecified. Names are not looked up for this: it is no guard against names that lead to such addresses. `false` is no condition.",
  ).default(false),
  port: anyOf(
    portField(
      "The destination's port is one of these. (Nothing can be reached at 0, but SOCKS clients may ask for it.)",
    ),
    "port",
  ),
  port_range: anyOf(
    textField(
      "The destination's port is in one of these ranges, both ends included.",
      'a port range such as "1000:2000", ":3000" (from 0 on) or "4000:" (up to 65535)',
      (text) => parsePortRange(text) !== undefined,
    ),
    "port range",
  ),
};

const outboundExpected = "the tag of an outbound";

/** Whether it can be told what a rule says, also where something else is wrong with it. */
function isRule({ value }: z.core.ParsePayload): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A condition may be among the unknown keys. */
function hasKnownKeys({ issues }: z.core.ParsePayload): boolean {
  return !issues.some(({ code }) => code === "unrecognized_keys");
}

/** Checks an entry of `route.rules`. */
export const ruleSchema = section({
  ...conditions,
  invert: flagField("Whether the rule is about all connections but those that meet its conditions.").default(
    false,
  ),
  action: z
    .enum(actions, { error: oneOf(actions) })
    .default("route")
    .describe(
      "`route` sends the connection to `outbound`. `reject` answers as an outbound of type `block` does, and nothing is counted.",
    ),
  outbound: textField(
    "Where connections that match leave. Required with the action `route`, and not allowed with `reject`.",
    outboundExpected,
  ).optional(),
})
  .refine(isAnyGiven, {
    error: `a condition: ${oneOf(Object.keys(conditions))}`,
    when: (payload) => isRule(payload) && hasKnownKeys(payload),
  })
  .refine(({ action, outbound }) => action !== "route" || outbound !== undefined, {
    error: outboundExpected,
    path: ["outbound"],
    when: isRule,
  })
  .refine(({ action, outbound }) => action !== "reject" || typeof outbound !== "string", {
    error: 'no outbound beside the action "reject"',
    path: ["outbound"],
    when: isRule,
  })
  .meta({
    // The same, for editors.
    if: { properties: { action: { const: "reject" } }, required: ["action"] },
    then: { properties: { outbound: false } },
    else: { properties: { outbound: true }, required: ["outbound"] },
  })
  .describe(
    "Says what becomes of connections that meet all of its conditions, of which it needs one. A condition is met by any of its values; `domain`, `domain_suffix`, `domain_keyword`, `ip_cidr` and `ip_is_private` are one condition together, and so are `port` and `port_range`.",
  );

function isAnyGiven(rule: object): boolean {
  return Object.entries(rule).some(
    ([key, value]) => Object.hasOwn(conditions, key) && value !== undefined && value !== false,
  );
}

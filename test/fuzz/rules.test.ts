import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { AddressSet } from "../../src/proxy/rules/address-set.js";
import { parseDomain, parseDomainKeyword, parseDomainSuffix } from "../../src/proxy/rules/domain-pattern.js";
import { DomainSet } from "../../src/proxy/rules/domain-set.js";
import { parseIpAddress, parseIpPrefix } from "../../src/proxy/rules/ip-prefix.js";
import { parsePortRange } from "../../src/proxy/rules/port-set.js";
import { toRuleHost } from "../../src/proxy/rules/rule-host.js";
import {
  createRuleMatcher,
  type RouteFacts,
  type RuleConditions,
} from "../../src/proxy/rules/rule-matcher.js";
import { mutated } from "./byte-text.js";
import { fuzz, fuzzLimits } from "./fuzz.js";
import {
  addressRule,
  nameRule,
  spelledFacts,
  spelledName,
  spelledRule,
  type SpelledFacts,
  type SpelledRule,
} from "./rule-inputs.js";
import { hasAddress, hasName, shouldMatch } from "./rule-model.js";

const textsOf = (values: readonly { readonly text: string }[] | undefined) => values?.map(({ text }) => text);

function toConditions(rule: SpelledRule): RuleConditions {
  const { inbounds, users, networks, keywords, ports, invert } = rule;
  return {
    ...{ inbounds, users, networks, ports, invert },
    domains: textsOf(rule.domains),
    domainSuffixes: textsOf(rule.suffixes),
    domainKeywords: keywords,
    ipCidrs: textsOf(rule.prefixes),
    sourceIpCidrs: textsOf(rule.sources),
    portRanges: textsOf(rule.ranges),
  };
}

function toFacts({ inbound, user, network, source, host, port }: SpelledFacts): RouteFacts {
  const { text } = "name" in host ? host.name : host.address;
  return {
    ...{ inbound, user, network },
    source: { host: source.text, port: 50_000 },
    destination: { host: text, port },
  };
}

/** Anything, and what looks like hosts. */
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  mutated(
    fc.constantFrom(
      "www.example.com",
      "10.0.0.0/8",
      "::ffff:1.2.3.4/104",
      "1000:2000",
      "127.1",
      "fe80::1%lo",
    ),
  ),
  spelledName.map(({ text }) => text),
  fc.string({
    unit: fc.constantFrom(...Array.from("0123456789abcdefx.:%/-＊１：。\u00ad\u200d")),
    maxLength: 20,
  }),
);

describe("a rule", () => {
  it("says what a plain model of it says, however everything is spelled", fuzzLimits, async () => {
    await fuzz({
      name: "rule-model",
      inputs: fc.record({ rule: spelledRule, facts: spelledFacts }),
      holds: ({ rule, facts }) => {
        const matches = createRuleMatcher(toConditions(rule));
        assert.equal(matches(toFacts(facts)), shouldMatch(rule, facts));
      },
    });
  });

  it("knows the names that a plain model knows", fuzzLimits, async () => {
    await fuzz({
      name: "rule-names",
      inputs: fc.record({ rule: nameRule, name: spelledName }),
      holds: ({ rule, name }) => {
        const set = new DomainSet({
          domains: textsOf(rule.domains),
          suffixes: textsOf(rule.suffixes),
          keywords: rule.keywords,
        });
        const host = toRuleHost(name.text);
        assert.equal(host.kind, "name");
        assert.equal("name" in host && set.has(host.name), hasName(rule, name));
      },
    });
  });

  it("knows the addresses that a plain model knows", fuzzLimits, async () => {
    await fuzz({
      name: "rule-addresses",
      inputs: addressRule,
      holds: ({ prefixes, address }) => {
        const set = new AddressSet(prefixes.map(({ text }) => text));
        const host = toRuleHost(address.text);
        assert.equal(host.kind, "address");
        assert.equal("address" in host && set.has(host.address), hasAddress(prefixes, address.bytes));
      },
    });
  });
});

describe("what rules read", () => {
  it("is never too strange to be read as a host, and has no two spellings in ASCII", fuzzLimits, async () => {
    await fuzz({
      name: "rule-host",
      inputs: anyText,
      holds: (text) => {
        const host = toRuleHost(text);
        assert.doesNotMatch("name" in host ? host.name : "", /[A-Z\0-,/:-@[-^`{-\x7f]/);
        assert.deepEqual(toRuleHost(text.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase())), host);
      },
    });
  });

  it("is refused, or makes a rule", fuzzLimits, async () => {
    await fuzz({
      name: "rule-values",
      inputs: anyText,
      holds: (text) => {
        const readers: readonly (readonly [isRead: boolean, conditions: RuleConditions])[] = [
          [parseDomain(text) !== undefined, { domains: [text] }],
          [parseDomainSuffix(text) !== undefined, { domainSuffixes: [text] }],
          [parseDomainKeyword(text) !== undefined, { domainKeywords: [text] }],
          [parseIpPrefix(text) !== undefined, { ipCidrs: [text] }],
          [parsePortRange(text) !== undefined, { portRanges: [text] }],
        ];
        for (const [isRead, conditions] of readers) {
          const make = () => createRuleMatcher(conditions);
          assert.equal(isRead || isRangeError(make), true);
          assert.equal(isRead && isRangeError(make), false);
        }
        // A name that a rule can have is met by itself, and an address, too.
        const asked = toFacts({
          ...{ inbound: "in", network: "tcp", port: 0 },
          source: { bytes: [], text: "" },
          host: { name: { labels: [], text } },
        });
        const own: readonly RuleConditions[] = [
          ...(parseDomain(text) === undefined ? [] : [{ domains: [text] }, { domainSuffixes: [text] }]),
          ...(parseIpAddress(text) === undefined || text.includes("%") ? [] : [{ ipCidrs: [text] }]),
        ];
        assert.deepEqual(
          own.map((conditions) => createRuleMatcher(conditions)(asked)),
          own.map(() => true),
        );
      },
    });
  });
});

function isRangeError(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch (error) {
    if (error instanceof RangeError) return true;
    throw error;
  }
}

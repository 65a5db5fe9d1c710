import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { BlockOutbound } from "../../src/proxy/outbound.js";
import { Routes } from "../../src/proxy/routes.js";
import type { RouteFacts } from "../../src/proxy/rules/rule-matcher.js";
import { Rule } from "../../src/proxy/rules/rule.js";
import { ruleTo } from "../helpers/destination-rule.js";

const outboundOf = (tag: string): BlockOutbound => ({ tag, blocks: true });
const [one, two, final] = [outboundOf("one"), outboundOf("two"), outboundOf("final")];
const facts: RouteFacts = {
  inbound: "in",
  user: "alice",
  network: "udp",
  source: { host: "192.0.2.7", port: 50_000 },
  destination: { host: "example.com", port: 443 },
};

describe("Routes", () => {
  it("choose the final outbound without rules", () => {
    assert.deepEqual(new Routes({ final }).choose(facts), { outbound: final, rule: "final" });
  });

  it("choose the final outbound when no rule matches", () => {
    const rules = [
      new Rule({ inbounds: ["other"], outbound: one }),
      new Rule({ users: ["bob"], outbound: two }),
    ];
    assert.deepEqual(new Routes({ rules, final }).choose(facts), { outbound: final, rule: "final" });
  });

  it("choose the outbound of the first rule that matches, and say which it was", () => {
    const [no, yes] = [
      new Rule({ users: ["bob"], outbound: one }),
      new Rule({ users: ["alice"], outbound: two }),
    ];
    const cases = [
      [[yes, no], two, "rules[0]"],
      [[no, yes], two, "rules[1]"],
      [[no, no, yes, new Rule({ outbound: one })], two, "rules[2]"],
      [[new Rule({ outbound: one }), yes], one, "rules[0]"],
    ] as const;
    for (const [rules, outbound, rule] of cases) {
      assert.deepEqual(new Routes({ rules, final }).choose(facts), { outbound, rule });
    }
  });

  it("hand the very outbound over that the rule has", () => {
    const { outbound } = new Routes({ rules: [new Rule({ outbound: one })], final }).choose(facts);
    assert.equal(outbound, one);
  });

  it("tell the rules everything, and ask none behind the one that matches", () => {
    const [first, second, third] = [
      ruleTo({ host: "other.test", port: 443 }, one),
      ruleTo(facts.destination, two),
      ruleTo(facts.destination, one),
    ];
    const routes = new Routes({ rules: [first.rule, second.rule, third.rule], final });
    assert.equal(routes.choose(facts).rule, "rules[1]");
    assert.deepEqual([first.asked, second.asked, third.asked], [[facts], [facts], []]);
  });

  it("choose by other rules from when these take their place, and say that there are others", () => {
    const routes = new Routes({ rules: [new Rule({ outbound: one })], final });
    const { revision } = routes;
    routes.replaceBy({ rules: [new Rule({ users: ["bob"], outbound: one })], final: two });
    assert.deepEqual(routes.choose(facts), { outbound: two, rule: "final" });
    assert.notEqual(routes.revision, revision);
    routes.replaceBy({ final });
    assert.deepEqual(routes.choose({ ...facts, user: "bob" }), { outbound: final, rule: "final" });
  });

  it("know the outbounds to which they lead", () => {
    const routes = new Routes({ rules: [new Rule({ outbound: one })], final });
    const led = (): readonly boolean[] => [one, two, final].map((outbound) => routes.leadTo(outbound));
    assert.deepEqual(led(), [true, false, true]);
    // Another one of the same name is not the same.
    routes.replaceBy({ rules: [new Rule({ outbound: outboundOf("one") })], final: two });
    assert.deepEqual(led(), [false, true, false]);
  });
});

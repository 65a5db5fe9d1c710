import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Outbound } from "../../../src/proxy/outbound.js";
import { rejectOutbound, Rule } from "../../../src/proxy/rules/rule.js";
import { factsOf } from "../../helpers/rule-facts.js";

const outbound: Outbound = { tag: "out", blocks: true };

describe("Rule", () => {
  it("knows its outbound", () => {
    assert.equal(new Rule({ outbound }).outbound, outbound);
    assert.equal(new Rule({ outbound: rejectOutbound, ports: [80] }).outbound, rejectOutbound);
  });

  it("matches what meets its conditions", () => {
    const rule = new Rule({ outbound, domainSuffixes: ["example.com"], ports: [443] });
    assert.equal(rule.matches(factsOf({ host: "www.example.com", port: 443 })), true);
    assert.equal(rule.matches(factsOf({ host: "www.example.com", port: 80 })), false);
    assert.equal(rule.matches(factsOf({ host: "www.example.org", port: 443 })), false);
  });

  it("keeps its lists when the caller changes theirs", () => {
    const inbounds = ["socks"];
    const users = ["alice"];
    const ports = [80];
    const rule = new Rule({ inbounds, users, ports, outbound });
    inbounds.push("http");
    users.length = 0;
    ports[0] = 443;
    assert.equal(rule.matches(factsOf({ inbound: "socks", port: 80 })), true);
    assert.equal(rule.matches(factsOf({ inbound: "http", port: 80 })), false);
    assert.equal(rule.matches(factsOf({ inbound: "socks", port: 443 })), false);
  });

  it("is not made of what it could not keep to", () => {
    assert.throws(() => new Rule({ ipCidrs: ["10.0.0.0/33"], outbound }), RangeError);
    assert.throws(() => new Rule({ domains: ["*"], outbound }), RangeError);
    assert.throws(() => new Rule({ portRanges: ["2:1"], outbound }), RangeError);
  });
});

describe("rejectOutbound", () => {
  it("blocks", () => {
    assert.deepEqual(rejectOutbound, { tag: "reject", blocks: true });
  });
});

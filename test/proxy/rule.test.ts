import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Outbound } from "../../src/proxy/outbound.js";
import { Rule, type RuleOptions } from "../../src/proxy/rule.js";

const outbound: Outbound = { tag: "out", blocks: true };

type Conditions = Omit<RuleOptions, "outbound">;

describe("Rule", () => {
  it("knows its outbound", () => {
    assert.equal(new Rule({ outbound }).outbound, outbound);
  });

  const anywhere: Conditions = {};
  const atOne: Conditions = { inbounds: ["socks"] };
  const atTwo: Conditions = { inbounds: ["socks", "http"] };
  const forAlice: Conditions = { users: ["alice"] };
  const forBoth: Conditions = { users: ["alice", "bob"] };
  const forAliceAtOne: Conditions = { inbounds: ["socks"], users: ["alice"] };
  const cases: readonly (readonly [
    conditions: Conditions,
    inbound: string,
    user: string | undefined,
    expected: boolean,
  ])[] = [
    [anywhere, "socks", "alice", true],
    [anywhere, "http", undefined, true],
    [atOne, "socks", "alice", true],
    [atOne, "socks", undefined, true],
    [atOne, "http", "alice", false],
    [atOne, "sock", undefined, false],
    [atOne, "Socks", undefined, false],
    [atTwo, "socks", undefined, true],
    [atTwo, "http", undefined, true],
    [atTwo, "mixed", undefined, false],
    [forAlice, "socks", "alice", true],
    [forAlice, "http", "alice", true],
    [forAlice, "socks", "bob", false],
    [forAlice, "socks", "Alice", false],
    [forAlice, "socks", "", false],
    [forAlice, "socks", undefined, false],
    [forBoth, "socks", "alice", true],
    [forBoth, "socks", "bob", true],
    [forBoth, "socks", "carol", false],
    [forAliceAtOne, "socks", "alice", true],
    [forAliceAtOne, "socks", "bob", false],
    [forAliceAtOne, "http", "alice", false],
    [forAliceAtOne, "socks", undefined, false],
    [forAliceAtOne, "alice", "socks", false],
    [{ users: ["undefined"] }, "socks", undefined, false],
    [{ inbounds: [] }, "socks", "alice", false],
    [{ users: [] }, "socks", "alice", false],
    [{ users: [] }, "socks", undefined, false],
  ];
  for (const [conditions, inbound, user, expected] of cases) {
    const verb = expected ? "matches" : "does not match";
    it(`for ${JSON.stringify(conditions)} ${verb} ${String(user)} at ${inbound}`, () => {
      assert.equal(new Rule({ ...conditions, outbound }).matches({ inbound, user }), expected);
    });
  }

  it("takes conditions that are spelled out as undefined for none", () => {
    const rule = new Rule({ inbounds: undefined, users: undefined, outbound });
    assert.equal(rule.matches({ inbound: "socks" }), true);
    assert.equal(rule.matches({ inbound: "socks", user: "alice" }), true);
  });

  it("keeps its lists when the caller changes theirs", () => {
    const inbounds = ["socks"];
    const users = ["alice"];
    const rule = new Rule({ inbounds, users, outbound });
    inbounds.push("http");
    users.length = 0;
    assert.equal(rule.matches({ inbound: "socks", user: "alice" }), true);
    assert.equal(rule.matches({ inbound: "http", user: "alice" }), false);
  });
});

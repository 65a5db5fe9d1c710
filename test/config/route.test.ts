import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toConfig } from "../../src/config/to-config.js";
import { issueLines } from "./issues.js";

const inbounds = [
  { type: "mixed", tag: "in", listen_port: 0, users: { username: "alice", password: "a" } },
  { type: "http", listen_port: 0, users: [{ username: "bob", password: "b" }] },
];
const outbounds = [{ type: "direct", tag: "out" }, { type: "block" }];

const withRules = (rules: unknown) => ({ inbounds, outbounds, route: { rules } });
const rulesOf = (rules: unknown) => toConfig(withRules(rules)).route.rules;

describe("route.rules", () => {
  it("are none by default", () => {
    assert.deepEqual(toConfig({}).route.rules, []);
    assert.deepEqual(rulesOf([]), []);
  });

  it("are kept in their order, with their action", () => {
    const rules = [
      { inbound: ["1", "in"], auth_user: ["bob"], outbound: "1" },
      { auth_user: ["alice", "bob"], outbound: "out" },
    ];
    assert.deepEqual(
      rulesOf(rules),
      rules.map((rule) => ({ ...rule, action: "route" })),
    );
    assert.deepEqual(
      rulesOf(rules.toReversed()),
      rules.toReversed().map((rule) => ({ ...rule, action: "route" })),
    );
  });

  it("may say their action", () => {
    const rule = { inbound: ["in"], action: "route", outbound: "out" };
    assert.deepEqual(rulesOf([rule]), [rule]);
  });

  it("may be a single one, with single names", () => {
    assert.deepEqual(rulesOf({ inbound: "in", auth_user: "alice", outbound: "out" }), [
      { inbound: ["in"], auth_user: ["alice"], action: "route", outbound: "out" },
    ]);
  });

  it("have the conditions alone that they are given", () => {
    assert.deepEqual(
      rulesOf([
        { inbound: "in", outbound: "out" },
        { auth_user: "bob", outbound: "out" },
      ]).map((rule) => Object.keys(rule).sort()),
      [
        ["action", "inbound", "outbound"],
        ["action", "auth_user", "outbound"],
      ],
    );
  });

  it("may name the outbound that there is without any", () => {
    const route = { rules: { inbound: "in", outbound: "direct" } };
    assert.deepEqual(issueLines({ inbounds, route }), []);
  });

  it("may name a user together with an inbound that does not have it", () => {
    assert.deepEqual(issueLines(withRules({ inbound: "in", auth_user: "bob", outbound: "out" })), []);
  });
});

describe("a wrong rule", () => {
  const keys = '"inbound", "auth_user", "action", "outbound"';
  const inbound = "expected the tag of an inbound";
  const user = "expected a user name of some inbound";
  const outbound = "expected the tag of an outbound";
  const condition = 'expected a condition: "inbound" or "auth_user"';
  const good = { inbound: ["in"], auth_user: ["alice"], outbound: "out" };

  const cases: readonly (readonly [rule: unknown, ...issues: string[]])[] = [
    [{ ...good, inbound: "x" }, `.inbound: ${inbound} ("in", "1"), got "x"`],
    [{ ...good, inbound: ["in", "x"] }, `.inbound[1]: ${inbound} ("in", "1"), got "x"`],
    [{ ...good, inbound: "0" }, `.inbound: ${inbound} ("in", "1"), got "0"`],
    [{ ...good, inbound: "out" }, `.inbound: ${inbound} ("in", "1"), got "out"`],
    [{ ...good, inbound: "" }, `.inbound: ${inbound} ("in", "1"), got ""`],
    [{ ...good, inbound: [] }, ".inbound: expected at least one name"],
    [{ ...good, inbound: 1 }, `.inbound: ${inbound}, got 1`],
    [{ ...good, inbound: null }, `.inbound: ${inbound}, got null`],
    [{ ...good, inbound: ["in", ["in"]] }, `.inbound[1]: ${inbound}, got a list`],
    [{ ...good, inbound: { tag: "in" } }, `.inbound: ${inbound}, got an object`],
    [{ ...good, auth_user: "x" }, `.auth_user: ${user} ("alice", "bob"), got "x"`],
    [{ ...good, auth_user: ["Alice"] }, `.auth_user[0]: ${user} ("alice", "bob"), got "Alice"`],
    [{ ...good, auth_user: [] }, ".auth_user: expected at least one name"],
    [{ ...good, auth_user: [null] }, `.auth_user[0]: ${user}, got null`],
    [{ ...good, outbound: "x" }, `.outbound: ${outbound} ("out", "1"), got "x"`],
    [{ ...good, outbound: "in" }, `.outbound: ${outbound} ("out", "1"), got "in"`],
    [{ ...good, outbound: "" }, `.outbound: ${outbound} ("out", "1"), got ""`],
    [{ ...good, outbound: ["out"] }, `.outbound: ${outbound}, got a list`],
    [{ ...good, outbound: undefined }, `.outbound: missing; ${outbound}`],
    [{ ...good, action: "reject" }, '.action: expected "route", got "reject"'],
    [{ ...good, action: ["route"] }, '.action: expected "route", got a list'],
    [{ ...good, action: null }, '.action: expected "route", got null'],
    [{ ...good, domain: "x" }, `.domain: unknown key; expected one of ${keys}`],
    [{ ...good, authuser: ["x"] }, `.authuser: unknown key; expected one of ${keys}`],
    [{ outbound: "out" }, `: ${condition}`],
    [{ action: "route", outbound: "out" }, `: ${condition}`],
    [{ outbound: "x" }, `: ${condition}`, `.outbound: ${outbound} ("out", "1"), got "x"`],
    [{ inbound: undefined, outbound: "out" }, `: ${condition}`],
    [{}, `.outbound: missing; ${outbound}`, `: ${condition}`],
    ["out", ": expected an object, got a string"],
    [[good], ": expected an object, got a list"],
    [null, ": expected an object, got null"],
    [
      { inbound: "x", auth_user: "y", action: "z", outbound: "w", v: 1 },
      '.action: expected "route", got "z"',
      `.v: unknown key; expected one of ${keys}`,
      `.inbound: ${inbound} ("in", "1"), got "x"`,
      `.auth_user: ${user} ("alice", "bob"), got "y"`,
      `.outbound: ${outbound} ("out", "1"), got "w"`,
    ],
  ];
  for (const [rule, ...issues] of cases) {
    const text = JSON.stringify(rule, (_, value: unknown) => (value === undefined ? "(undefined)" : value));
    it(`is ${text}`, () => {
      assert.deepEqual(
        [...issueLines(withRules([good, rule]))].sort(),
        issues.map((issue) => `route.rules[1]${issue}`).sort(),
      );
    });
  }

  it("has no index in its path if it is the only one", () => {
    assert.deepEqual(issueLines(withRules({ inbound: ["in", "x"], outbound: "y" })), [
      `route.rules.inbound[1]: ${inbound} ("in", "1"), got "x"`,
      `route.rules.outbound: ${outbound} ("out", "1"), got "y"`,
    ]);
    assert.deepEqual(issueLines(withRules({ outbound: "out" })), [`route.rules: ${condition}`]);
  });

  it("names inbounds and users where there are none", () => {
    const rules = { inbound: "in", auth_user: "alice", outbound: "direct" };
    assert.deepEqual(issueLines({ route: { rules } }), [
      `route.rules.inbound: ${inbound} (there is none), got "in"`,
      `route.rules.auth_user: ${user} (there is none), got "alice"`,
    ]);
  });

  it("is not judged by its names while those cannot be read", () => {
    const config = {
      inbounds: ["in", { ...inbounds[1], users: "bob:b" }],
      outbounds: ["out"],
      route: { rules: { inbound: "x", auth_user: "y", outbound: "z" } },
    };
    assert.deepEqual(issueLines(config), [
      "inbounds[0]: expected an object, got a string",
      "inbounds[1].users: expected an object, got a string",
      "outbounds[0]: expected an object, got a string",
    ]);
  });
});

describe("route", () => {
  const cases: readonly (readonly [route: unknown, issue: string])[] = [
    [null, "route: expected an object, got null"],
    [[], "route: expected an object, got a list"],
    [{ rules: null }, "route.rules: expected an object, got null"],
    [{ rules: "direct" }, "route.rules: expected an object, got a string"],
    [{ rules: [], default: "direct" }, 'route.default: unknown key; expected one of "rules", "final"'],
  ];
  for (const [route, issue] of cases) {
    it(`refuses ${JSON.stringify(route)}`, () => {
      assert.deepEqual(issueLines({ route }), [issue]);
    });
  }
});

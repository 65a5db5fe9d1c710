import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toConfig } from "../../src/config/to-config.js";
import { issueLines } from "./issues.js";

const inbound = (tag: string, ...usernames: string[]) => ({
  type: "mixed",
  tag,
  listen_port: 0,
  users: usernames.map((username) => ({ username, password: "s3cret" })),
});
const outbound = (tag: string) => ({ type: "direct", tag });
const stats = (names: object) => ({ v2ray_api: { stats: names } });

describe("route.final", () => {
  it("is undefined by default", () => {
    assert.equal(toConfig({}).route.final, undefined);
  });

  const known: readonly (readonly [final: string, outbounds: unknown])[] = [
    ["b", [outbound("a"), outbound("b")]],
    ["1", [outbound("a"), { type: "direct" }]],
    ["direct", undefined],
    ["direct", []],
    ["a", outbound("a")],
  ];
  for (const [final, outbounds] of known) {
    it(`may be ${JSON.stringify(final)} among ${JSON.stringify(outbounds)}`, () => {
      assert.equal(toConfig({ outbounds, route: { final } }).route.final, final);
    });
  }

  const unknown: readonly (readonly [final: string, outbounds: unknown, known: string])[] = [
    ["c", [outbound("a"), outbound("b")], '"a", "b"'],
    ["0", [outbound("a")], '"a"'],
    ["1", [{ type: "direct" }], '"0"'],
    ["A", outbound("a"), '"a"'],
    ["", [outbound("a")], '"a"'],
    ["0", undefined, '"direct"'],
    ["toString", undefined, '"direct"'],
  ];
  for (const [final, outbounds, choices] of unknown) {
    it(`must not be ${JSON.stringify(final)} among ${JSON.stringify(outbounds)}`, () => {
      assert.deepEqual(issueLines({ outbounds, route: { final } }), [
        `route.final: expected the tag of an outbound (${choices}), got ${JSON.stringify(final)}`,
      ]);
    });
  }

  it("must be a string", () => {
    assert.deepEqual(issueLines({ route: { final: 0 } }), [
      "route.final: expected the tag of an outbound, got 0",
    ]);
  });

  it("has one neighbour", () => {
    assert.deepEqual(issueLines({ route: { rule: [] } }), [
      'route.rule: unknown key; expected one of "rules", "final"',
    ]);
  });

  it("may name an outbound that is broken otherwise", () => {
    assert.deepEqual(issueLines({ outbounds: { type: "x", tag: "a" }, route: { final: "a" } }), [
      'outbounds.type: expected one of "direct", "socks", "http", "block", got "x"',
    ]);
  });

  it("may name an outbound whose tag is not allowed", () => {
    assert.deepEqual(issueLines({ outbounds: outbound("a>>>b"), route: { final: "a>>>b" } }), [
      'outbounds.tag: expected a tag that is not empty, does not contain ">>>" and does not end with ">", got "a>>>b"',
    ]);
  });

  it("is not judged while a tag cannot be read", () => {
    assert.deepEqual(issueLines({ outbounds: [outbound("a"), "direct"], route: { final: "b" } }), [
      "outbounds[1]: expected an object, got a string",
    ]);
  });

  it("is judged while something else is wrong", () => {
    assert.deepEqual(issueLines({ log: 5, outbounds: outbound("a"), route: { final: "b" } }), [
      "log: expected an object, got a number",
      'route.final: expected the tag of an outbound ("a"), got "b"',
    ]);
  });
});

describe("stats lists", () => {
  const inbounds = [inbound("in", "alice", "bob"), inbound("in2", "bob", "carol")];

  it("name inbounds, outbounds and users of all inbounds", () => {
    const names = { inbounds: ["in2"], outbounds: ["direct"], users: ["carol", "alice"] };
    assert.deepEqual(issueLines({ inbounds, experimental: stats(names) }), []);
  });

  it("name nothing else", () => {
    const names = { inbounds: ["in", "direct"], outbounds: "in", users: ["alice", "dave", "in"] };
    assert.deepEqual(issueLines({ inbounds, experimental: stats(names) }), [
      'experimental.v2ray_api.stats.inbounds[1]: expected the tag of an inbound ("in", "in2") or "*", got "direct"',
      'experimental.v2ray_api.stats.outbounds: expected the tag of an outbound ("direct") or "*", got "in"',
      'experimental.v2ray_api.stats.users[1]: expected a user name of some inbound ("alice", "bob", "carol") or "*", got "dave"',
      'experimental.v2ray_api.stats.users[2]: expected a user name of some inbound ("alice", "bob", "carol") or "*", got "in"',
    ]);
  });

  for (const names of ["*", ["*"], ["in", "*"], ["*", "in", "*"]]) {
    it(`may be ${JSON.stringify(names)} for inbounds, and alike for the others`, () => {
      assert.deepEqual(issueLines({ inbounds, experimental: stats({ inbounds: names }) }), []);
      assert.deepEqual(issueLines({ experimental: stats({ outbounds: "*", users: ["*"] }) }), []);
    });
  }

  it("know no other wildcard, and say what is wrong beside the one", () => {
    const names = { inbounds: ["*", "in*"], outbounds: "**", users: ["al*", "*", ""] };
    const [users, tags] = ['("alice", "bob", "carol") or "*"', '("in", "in2") or "*"'];
    assert.deepEqual(issueLines({ inbounds, experimental: stats(names) }), [
      `experimental.v2ray_api.stats.inbounds[1]: expected the tag of an inbound ${tags}, got "in*"`,
      'experimental.v2ray_api.stats.outbounds: expected the tag of an outbound ("direct") or "*", got "**"',
      `experimental.v2ray_api.stats.users[0]: expected a user name of some inbound ${users}, got "al*"`,
      `experimental.v2ray_api.stats.users[2]: expected a user name of some inbound ${users}, got ""`,
    ]);
  });

  it("are alone in knowing a wildcard: routes do not", () => {
    const route = { rules: [{ inbound: "*", auth_user: ["*"], outbound: "*" }], final: "*" };
    assert.deepEqual(issueLines({ inbounds, route }), [
      'route.rules[0].inbound: expected the tag of an inbound ("in", "in2"), got "*"',
      'route.rules[0].auth_user[0]: expected a user name of some inbound ("alice", "bob", "carol"), got "*"',
      'route.rules[0].outbound: expected the tag of an outbound ("direct"), got "*"',
      'route.final: expected the tag of an outbound ("direct"), got "*"',
    ]);
  });

  it("say so if there is nothing to name", () => {
    assert.deepEqual(issueLines({ experimental: stats({ inbounds: ["in"], users: ["alice"] }) }), [
      'experimental.v2ray_api.stats.inbounds[0]: expected the tag of an inbound (there is none) or "*", got "in"',
      'experimental.v2ray_api.stats.users[0]: expected a user name of some inbound (there is none) or "*", got "alice"',
    ]);
  });

  it("show the first of many names", () => {
    const many = Array.from({ length: 1000 }, (_, index) => `user-${index}`);
    assert.deepEqual(issueLines({ inbounds: inbound("in", ...many), experimental: stats({ users: "x" }) }), [
      "experimental.v2ray_api.stats.users: expected a user name of some inbound " +
        `(${many
          .slice(0, 8)
          .map((name) => `"${name}"`)
          .join(", ")} and 992 more) or "*", got "x"`,
    ]);
  });

  it("are checked also while nothing is counted", () => {
    assert.deepEqual(issueLines({ experimental: stats({ enabled: false, outbounds: "x" }) }), [
      'experimental.v2ray_api.stats.outbounds: expected the tag of an outbound ("direct") or "*", got "x"',
    ]);
  });

  it("may name users and inbounds that are broken otherwise", () => {
    const broken = { type: "mixed", tag: "in", users: { username: "alice" } };
    assert.deepEqual(
      issueLines({ inbounds: broken, experimental: stats({ inbounds: "in", users: "alice" }) }).map((line) =>
        line.slice(0, line.indexOf(":")),
      ),
      ["inbounds.listen_port", "inbounds.users.password"],
    );
  });

  for (const user of ["alice", { password: "x" }, { username: 5, password: "x" }]) {
    it(`are not judged while ${JSON.stringify(user)} cannot be read`, () => {
      const config = { inbounds: { ...inbound("in"), users: user }, experimental: stats({ users: "dave" }) };
      assert.deepEqual(
        issueLines(config).filter((line) => line.includes("stats")),
        [],
      );
      assert.equal(issueLines(config).length, 1);
    });
  }

  it("do not take numbers for index tags", () => {
    const config = { inbounds: { type: "mixed", listen_port: 0 }, experimental: stats({ inbounds: [0] }) };
    assert.deepEqual(issueLines(config), [
      'experimental.v2ray_api.stats.inbounds[0]: expected the tag of an inbound or "*", got 0',
    ]);
  });
});

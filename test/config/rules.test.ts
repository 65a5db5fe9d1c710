import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toConfig } from "../../src/config/to-config.js";
import { issueLines } from "./issues.js";

const inbounds = [
  { type: "mixed", tag: "in", listen_port: 0, users: { username: "alice", password: "a" } },
  { type: "http", listen_port: 0, users: [{ username: "bob", password: "b" }] },
];
const outbounds = [{ type: "direct", tag: "out" }, { type: "block" }];
const defaults = { ip_is_private: false, invert: false, action: "route" };

const withRules = (rules: unknown) => ({ inbounds, outbounds, route: { rules } });
const rulesOf = (rules: unknown) => toConfig(withRules(rules)).route.rules;

const conditionKeys =
  '"inbound", "network", "auth_user", "domain", "domain_suffix", "domain_keyword", "source_ip_cidr", ' +
  '"ip_cidr", "ip_is_private", "port", "port_range"';
const keys = `${conditionKeys}, "invert", "action", "outbound"`;

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
      rules.map((rule) => ({ ...defaults, ...rule })),
    );
    assert.deepEqual(
      rulesOf(rules.toReversed()),
      rules.toReversed().map((rule) => ({ ...defaults, ...rule })),
    );
  });

  it("may have every condition that there is", () => {
    const rule = {
      inbound: ["in", "1"],
      network: ["tcp", "udp"],
      auth_user: ["alice", "bob"],
      domain: ["example.com", "bücher.de", "XN--BCHER-KVA.DE."],
      domain_suffix: ["example.com", ".example.org"],
      domain_keyword: ["ample", "bü", "."],
      source_ip_cidr: ["10.0.0.0/8", "::1"],
      ip_cidr: ["192.0.2.1/24", "2001:db8::/32", "::ffff:10.0.0.0/104"],
      ip_is_private: true,
      port: [0, 80, 65_535],
      port_range: ["1000:2000", ":3000", "4000:"],
      invert: true,
      action: "route",
      outbound: "out",
    };
    assert.deepEqual(rulesOf([rule]), [rule]);
  });

  it("may be a single one, with single values", () => {
    const rule = {
      inbound: "in",
      network: "udp",
      auth_user: "alice",
      domain: "a.test",
      domain_suffix: "b.test",
    };
    const more = {
      domain_keyword: "c",
      source_ip_cidr: "::/0",
      ip_cidr: "10.0.0.1",
      port: 80,
      port_range: "1:2",
    };
    assert.deepEqual(rulesOf({ ...rule, ...more, outbound: "out" }), [
      {
        ...defaults,
        inbound: ["in"],
        network: ["udp"],
        auth_user: ["alice"],
        domain: ["a.test"],
        domain_suffix: ["b.test"],
        domain_keyword: ["c"],
        source_ip_cidr: ["::/0"],
        ip_cidr: ["10.0.0.1"],
        port: [80],
        port_range: ["1:2"],
        outbound: "out",
      },
    ]);
  });

  it("have the conditions alone that they are given", () => {
    const [rule] = rulesOf({ port: 80, outbound: "out" });
    assert.deepEqual(Object.keys(rule ?? {}).sort(), [
      "action",
      "invert",
      "ip_is_private",
      "outbound",
      "port",
    ]);
  });

  it("may reject, without an outbound", () => {
    assert.deepEqual(rulesOf({ ip_is_private: true, action: "reject" }), [
      { ...defaults, ip_is_private: true, action: "reject" },
    ]);
  });

  it("may name the outbound that there is without any", () => {
    const route = { rules: { inbound: "in", outbound: "direct" } };
    assert.deepEqual(issueLines({ inbounds, route }), []);
  });

  it("may name a user together with an inbound that does not have it", () => {
    assert.deepEqual(issueLines(withRules({ inbound: "in", auth_user: "bob", outbound: "out" })), []);
  });

  for (const condition of conditionKeys.split(", ").map((key) => JSON.parse(key) as string)) {
    it(`need no other condition than ${condition}`, () => {
      const [value] = Object.entries({
        inbound: "in",
        network: "tcp",
        auth_user: "bob",
        domain: "a.test",
        domain_suffix: ".a.test",
        domain_keyword: "a",
        source_ip_cidr: "::/0",
        ip_cidr: "::/0",
        ip_is_private: true,
        port: 0,
        port_range: ":0",
      })
        .filter(([key]) => key === condition)
        .map(([, given]) => given);
      assert.deepEqual(issueLines(withRules({ [condition]: value, outbound: "out" })), []);
      assert.deepEqual(issueLines(withRules({ [condition]: value, invert: true, action: "reject" })), []);
    });
  }

  it("may have 100,000 names and addresses", () => {
    const count = 100_000;
    const domain = Array.from({ length: count }, (_, index) => `host-${index}.test`);
    const ip_cidr = Array.from({ length: count }, (_, index) => `10.${index >> 8}.${index & 255}.0/24`);
    const wrong = {
      domain: [...domain.slice(0, -1), "*"],
      ip_cidr: [...ip_cidr.slice(0, 1_000), "10.0.0.0/33"],
    };
    assert.deepEqual(
      issueLines(withRules({ ...wrong, action: "reject" })).map((line) => line.slice(0, line.indexOf(":"))),
      [`route.rules.domain[${count - 1}]`, "route.rules.ip_cidr[1000]"],
    );
  });
});

describe("a wrong rule", () => {
  const inbound = "expected the tag of an inbound";
  const user = "expected a user name of some inbound";
  const outbound = "expected the tag of an outbound";
  const condition = `expected a condition: one of ${conditionKeys}`;
  const network = 'expected one of "tcp", "udp"';
  const domain = 'expected a domain name, such as "example.com" (no address, port, URL or "*")';
  const suffix =
    'expected a domain name, such as "example.com" or ".example.com" (no address, port, URL or "*")';
  const keyword = 'expected a part of a domain name, such as "ample" (no port, URL or "*")';
  const cidr = 'expected an IP address or CIDR, such as "192.0.2.1" or "2001:db8::/32"';
  const port = "expected a port number from 0 to 65535";
  const range = 'expected a port range such as "1000:2000", ":3000" (from 0 on) or "4000:" (up to 65535)';
  const action = 'expected one of "route", "reject"';
  const noOutbound = 'expected no outbound beside the action "reject"';
  const flag = "expected true or false";
  const good = { inbound: ["in"], auth_user: ["alice"], outbound: "out" };
  const goodReject = { inbound: ["in"], action: "reject" };

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

    [{ ...good, network: "icmp" }, `.network: ${network}, got "icmp"`],
    [{ ...good, network: ["tcp", "UDP"] }, `.network[1]: ${network}, got "UDP"`],
    [{ ...good, network: "" }, `.network: ${network}, got ""`],
    [{ ...good, network: [] }, ".network: expected at least one network"],
    [{ ...good, network: true }, `.network: ${network}, got true`],

    [{ ...good, domain: "*.example.com" }, `.domain: ${domain}, got "*.example.com"`],
    [{ ...good, domain: "https://a.test/" }, `.domain: ${domain}, got "https://a.test/"`],
    [{ ...good, domain: ["a.test", "a.test:443"] }, `.domain[1]: ${domain}, got "a.test:443"`],
    [{ ...good, domain: "10.0.0.1" }, `.domain: ${domain}, got "10.0.0.1"`],
    [{ ...good, domain: "::1" }, `.domain: ${domain}, got "::1"`],
    [{ ...good, domain: ".a.test" }, `.domain: ${domain}, got ".a.test"`],
    [{ ...good, domain: "a..test" }, `.domain: ${domain}, got "a..test"`],
    [{ ...good, domain: "a test" }, `.domain: ${domain}, got "a test"`],
    [{ ...good, domain: "" }, `.domain: ${domain}, got ""`],
    [{ ...good, domain: [] }, ".domain: expected at least one name"],
    [{ ...good, domain: 5 }, `.domain: ${domain}, got 5`],

    [{ ...good, domain_suffix: "." }, `.domain_suffix: ${suffix}, got "."`],
    [{ ...good, domain_suffix: "*.a.test" }, `.domain_suffix: ${suffix}, got "*.a.test"`],
    [{ ...good, domain_suffix: "..a.test" }, `.domain_suffix: ${suffix}, got "..a.test"`],
    [{ ...good, domain_suffix: ["com", "10.0.0.1"] }, `.domain_suffix[1]: ${suffix}, got "10.0.0.1"`],
    [{ ...good, domain_suffix: "" }, `.domain_suffix: ${suffix}, got ""`],
    [{ ...good, domain_suffix: [] }, ".domain_suffix: expected at least one name"],
    [{ ...good, domain_suffix: null }, `.domain_suffix: ${suffix}, got null`],

    [{ ...good, domain_keyword: "" }, `.domain_keyword: ${keyword}, got ""`],
    [{ ...good, domain_keyword: "a b" }, `.domain_keyword: ${keyword}, got "a b"`],
    [{ ...good, domain_keyword: ["a", "a/b"] }, `.domain_keyword[1]: ${keyword}, got "a/b"`],
    [{ ...good, domain_keyword: "*" }, `.domain_keyword: ${keyword}, got "*"`],
    [{ ...good, domain_keyword: [] }, ".domain_keyword: expected at least one name"],
    [{ ...good, domain_keyword: {} }, `.domain_keyword: ${keyword}, got an object`],

    ...["ip_cidr", "source_ip_cidr"].flatMap((key): (readonly [rule: unknown, issue: string])[] => [
      ...[
        "10.0.0.0/33",
        "::/129",
        "10/8",
        "10.0.0.0/-1",
        "10.0.0.0/255.0.0.0",
        "a.test",
        "127.1",
        "",
        "fe80::1%lo",
      ].map(
        (value) => [{ ...good, [key]: value }, `.${key}: ${cidr}, got ${JSON.stringify(value)}`] as const,
      ),
      [{ ...good, [key]: ["10.0.0.0/8", "10.0.0.0/08"] }, `.${key}[1]: ${cidr}, got "10.0.0.0/08"`],
      [{ ...good, [key]: [] }, `.${key}: expected at least one address`],
      [{ ...good, [key]: 10 }, `.${key}: ${cidr}, got 10`],
    ]),

    [{ ...good, ip_is_private: "true" }, `.ip_is_private: ${flag}, got "true"`],
    [{ ...good, ip_is_private: [true] }, `.ip_is_private: ${flag}, got a list`],
    [{ ...good, ip_is_private: null }, `.ip_is_private: ${flag}, got null`],

    [{ ...good, port: -1 }, `.port: ${port}, got -1`],
    [{ ...good, port: 65_536 }, `.port: ${port}, got 65536`],
    [{ ...good, port: [80, 1.5] }, `.port[1]: ${port}, got 1.5`],
    [{ ...good, port: "80" }, `.port: ${port}, got "80"`],
    [{ ...good, port: [] }, ".port: expected at least one port"],
    [{ ...good, port: null }, `.port: ${port}, got null`],

    ...["2000:1000", "80", "", ":", "1:2:3", "65536:", ":70000", "a:b", "1-2", " 1:2"].map(
      (value) =>
        [{ ...good, port_range: value }, `.port_range: ${range}, got ${JSON.stringify(value)}`] as const,
    ),
    [{ ...good, port_range: ["1:2", "2:1"] }, `.port_range[1]: ${range}, got "2:1"`],
    [{ ...good, port_range: [] }, ".port_range: expected at least one port range"],
    [{ ...good, port_range: 80 }, `.port_range: ${range}, got 80`],

    [{ ...good, invert: "yes" }, `.invert: ${flag}, got "yes"`],
    [{ ...good, invert: 0 }, `.invert: ${flag}, got 0`],

    [{ ...good, outbound: "x" }, `.outbound: ${outbound} ("out", "1"), got "x"`],
    [{ ...good, outbound: "in" }, `.outbound: ${outbound} ("out", "1"), got "in"`],
    [{ ...good, outbound: "reject" }, `.outbound: ${outbound} ("out", "1"), got "reject"`],
    [{ ...good, outbound: "" }, `.outbound: ${outbound} ("out", "1"), got ""`],
    [{ ...good, outbound: ["out"] }, `.outbound: ${outbound}, got a list`],
    [{ ...good, outbound: undefined }, `.outbound: missing; ${outbound}`],
    [{ ...good, action: "route", outbound: undefined }, `.outbound: missing; ${outbound}`],

    [{ ...good, action: "reject" }, `.outbound: ${noOutbound}, got "out"`],
    [{ ...goodReject, outbound: "x" }, `.outbound: ${noOutbound}, got "x"`],
    [{ ...goodReject, outbound: "" }, `.outbound: ${noOutbound}, got ""`],
    [{ ...goodReject, outbound: null }, `.outbound: ${outbound}, got null`],
    [{ ...good, action: "drop" }, `.action: ${action}, got "drop"`],
    [{ ...good, action: "Reject" }, `.action: ${action}, got "Reject"`],
    [{ ...good, action: "" }, `.action: ${action}, got ""`],
    [{ ...good, action: ["route"] }, `.action: ${action}, got a list`],
    [{ ...good, action: null }, `.action: ${action}, got null`],
    [{ inbound: "in", action: "drop" }, `.action: ${action}, got "drop"`],

    [{ ...good, domains: "x" }, `.domains: unknown key; expected one of ${keys}`],
    [{ ...good, authuser: ["x"] }, `.authuser: unknown key; expected one of ${keys}`],
    [{ authuser: ["x"], outbound: "out" }, `.authuser: unknown key; expected one of ${keys}`],
    [{ outbound: "out" }, `: ${condition}`],
    [{ action: "route", outbound: "out" }, `: ${condition}`],
    [{ action: "reject" }, `: ${condition}`],
    [{ invert: true, action: "reject" }, `: ${condition}`],
    [{ invert: false, ip_is_private: false, outbound: "out" }, `: ${condition}`],
    [{ outbound: "x" }, `: ${condition}`, `.outbound: ${outbound} ("out", "1"), got "x"`],
    [{ inbound: undefined, outbound: "out" }, `: ${condition}`],
    [{}, `.outbound: missing; ${outbound}`, `: ${condition}`],
    ["out", ": expected an object, got a string"],
    [[good], ": expected an object, got a list"],
    [null, ": expected an object, got null"],
    [
      { inbound: "x", auth_user: "y", port: -1, action: "z", outbound: "w", v: 1 },
      `.port: ${port}, got -1`,
      `.action: ${action}, got "z"`,
      `.v: unknown key; expected one of ${keys}`,
      `.inbound: ${inbound} ("in", "1"), got "x"`,
      `.auth_user: ${user} ("alice", "bob"), got "y"`,
    ],
  ];
  for (const [rule, ...issues] of cases) {
    const text = JSON.stringify(rule, (_, value: unknown) => (value === undefined ? "(undefined)" : value));
    it(`is ${text}`, () => {
      assert.deepEqual(
        [...issueLines(withRules([{ ...good }, rule]))].sort(),
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

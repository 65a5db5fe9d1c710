import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  createRuleMatcher,
  type RuleConditions,
  type RouteFacts,
} from "../../../src/proxy/rules/rule-matcher.js";
import { factsOf, type FactsOptions } from "../../helpers/rule-facts.js";

const matches = (conditions: RuleConditions, facts: RouteFacts) => createRuleMatcher(conditions)(facts);

describe("createRuleMatcher", () => {
  const cases: readonly (readonly [
    conditions: RuleConditions,
    met: readonly FactsOptions[],
    unmet: readonly FactsOptions[],
  ])[] = [
    [{}, [{}, { inbound: "other", user: undefined, network: "udp", host: "::1", port: 0 }], []],
    [{ inbounds: ["in"] }, [{}, { user: undefined }], [{ inbound: "i" }, { inbound: "In" }, { inbound: "" }]],
    [{ inbounds: ["in", "out"] }, [{}, { inbound: "out" }], [{ inbound: "alice" }]],
    [{ inbounds: [] }, [], [{}, { inbound: "" }]],
    [
      { users: ["alice"] },
      [{}, { inbound: "x" }],
      [{ user: "bob" }, { user: "Alice" }, { user: "" }, { user: undefined }],
    ],
    [{ users: ["alice", "bob"] }, [{}, { user: "bob" }], [{ user: "carol" }, { user: undefined }]],
    [{ users: ["undefined"] }, [{ user: "undefined" }], [{ user: undefined }]],
    [{ users: [] }, [], [{}, { user: undefined }]],
    [{ networks: ["tcp"] }, [{}], [{ network: "udp" }]],
    [{ networks: ["udp"] }, [{ network: "udp" }], [{}]],
    [{ networks: ["udp", "tcp"] }, [{}, { network: "udp" }], []],
    [
      { domains: ["www.example.com"] },
      [{}, { host: "WWW.example.com." }, { host: "ｗｗｗ.example。com" }],
      [{ host: "example.com" }, { host: "a.www.example.com" }, { host: "10.0.0.1" }, { host: "" }],
    ],
    [
      { domains: ["bücher.de"] },
      [{ host: "bücher.de" }, { host: "XN--BCHER-KVA.de" }],
      [{ host: "bucher.de" }],
    ],
    [
      { domainSuffixes: ["example.com"] },
      [{}, { host: "example.com" }, { host: "EXAMPLE.COM." }, { host: "a|b.ｅxample.com" }],
      [{ host: "notexample.com" }, { host: "example.com.test" }, { host: "com" }],
    ],
    [{ domainSuffixes: [".example.com"] }, [{}, { host: "a.b.example.com" }], [{ host: "example.com" }]],
    [
      { domainKeywords: ["EXAMP"] },
      [{}, { host: "an-example.test" }],
      [{ host: "exam.test" }, { host: "::1" }],
    ],
    [{ domainKeywords: ["127"] }, [{ host: "127.test" }], [{ host: "127.0.0.1" }, { host: "127.1" }]],
    [
      { ipCidrs: ["10.0.0.0/8", "2001:db8::/32"] },
      [{ host: "10.1.2.3" }, { host: "::ffff:10.1.2.3" }, { host: "10.1" }, { host: "2001:DB8:0::9" }],
      [{}, { host: "11.0.0.1" }, { host: "2001:db9::1" }, { host: "10.example.com" }],
    ],
    [
      { ipIsPrivate: true },
      [{ host: "192.168.0.1" }, { host: "127.1" }, { host: "::1" }, { host: "：：１" }, { host: "0.0.0.0" }],
      [{}, { host: "8.8.8.8" }, { host: "localhost" }, { host: "2001:db8::1" }],
    ],
    [{ ipIsPrivate: false }, [{}, { host: "8.8.8.8" }, { host: "10.0.0.1" }], []],
    [
      { sourceIpCidrs: ["192.0.2.0/24", "::1"] },
      [{}, { from: "::ffff:192.0.2.9" }, { from: "::1" }],
      [{ from: "192.0.3.1" }, { from: "::2" }, { from: "" }, { from: "192.0.2.1.", host: "192.0.2.1" }],
    ],
    [{ sourceIpCidrs: ["0.0.0.0/0"] }, [{}], [{ from: "" }, { from: "::1" }]],
    [{ ports: [443, 80] }, [{}, { port: 80 }], [{ port: 8080 }, { port: 0 }]],
    [{ ports: [0] }, [{ port: 0 }], [{}]],
    [{ portRanges: ["400:500", ":79"] }, [{}, { port: 0 }, { port: 500 }], [{ port: 80 }, { port: 501 }]],
    [{ ports: [80], portRanges: ["400:500"] }, [{}, { port: 80 }], [{ port: 81 }]],
    [
      { domains: ["a.test"], domainSuffixes: ["b.test"], domainKeywords: ["ccc"], ipCidrs: ["10.0.0.1"] },
      [{ host: "a.test" }, { host: "x.b.test" }, { host: "xcccx.test" }, { host: "10.0.0.1" }],
      [{}, { host: "x.a.test" }, { host: "10.0.0.2" }],
    ],
  ];
  for (const [conditions, met, unmet] of cases) {
    for (const options of met) {
      it(`for ${JSON.stringify(conditions)} says yes to ${JSON.stringify(options)}`, () => {
        assert.equal(matches(conditions, factsOf(options)), true);
        assert.equal(matches({ ...conditions, invert: false }, factsOf(options)), true);
        assert.equal(matches({ ...conditions, invert: true }, factsOf(options)), false);
      });
    }
    for (const options of unmet) {
      it(`for ${JSON.stringify(conditions)} says no to ${JSON.stringify(options)}`, () => {
        assert.equal(matches(conditions, factsOf(options)), false);
        assert.equal(matches({ ...conditions, invert: true }, factsOf(options)), true);
      });
    }
  }

  it("takes conditions that are spelled out as undefined for none", () => {
    const none = {
      inbounds: undefined,
      users: undefined,
      networks: undefined,
      domains: undefined,
      domainSuffixes: undefined,
      domainKeywords: undefined,
      ipCidrs: undefined,
      ipIsPrivate: undefined,
      sourceIpCidrs: undefined,
      ports: undefined,
      portRanges: undefined,
      invert: undefined,
    };
    assert.equal(matches(none, factsOf()), true);
    assert.equal(matches({ ...none, ports: [80] }, factsOf()), false);
  });

  it("names a condition that it cannot read", () => {
    const malformed: readonly (readonly [conditions: RuleConditions, message: string])[] = [
      [{ domains: ["a b"] }, 'expected a domain, got "a b"'],
      [{ ipCidrs: ["10/8"] }, 'expected an IP address or CIDR, got "10/8"'],
      [{ sourceIpCidrs: ["x"] }, 'expected an IP address or CIDR, got "x"'],
      [{ portRanges: ["1-2"] }, 'expected a port range, got "1-2"'],
    ];
    for (const [conditions, message] of malformed) {
      assert.throws(() => createRuleMatcher(conditions), { name: "RangeError", message });
    }
  });
});

describe("two conditions", () => {
  /** A condition that the connection to a name, and that to an address, meets or not. */
  interface Condition {
    /** Conditions of one group are one: it is enough to meet one of them. */
    readonly group: string;
    readonly conditions: RuleConditions;
    /** Of the two connections. */
    readonly metBy: readonly [name: boolean, address: boolean];
  }
  const connections = [factsOf({ host: "www.example.com" }), factsOf({ host: "10.0.0.1" })] as const;
  const inGroup =
    (group: string) =>
    (conditions: RuleConditions, ...metBy: readonly [name: boolean, address: boolean]): Condition => ({
      group,
      conditions,
      metBy,
    });
  const [destination, port] = [inGroup("destination"), inGroup("port")];
  const fields: Readonly<Record<string, readonly Condition[]>> = {
    inbounds: [
      inGroup("inbound")({ inbounds: ["in"] }, true, true),
      inGroup("inbound")({ inbounds: ["other"] }, false, false),
    ],
    users: [
      inGroup("user")({ users: ["alice"] }, true, true),
      inGroup("user")({ users: ["bob"] }, false, false),
    ],
    networks: [
      inGroup("network")({ networks: ["tcp"] }, true, true),
      inGroup("network")({ networks: ["udp"] }, false, false),
    ],
    domains: [
      destination({ domains: ["www.example.com"] }, true, false),
      destination({ domains: ["a.test"] }, false, false),
    ],
    domainSuffixes: [
      destination({ domainSuffixes: ["com"] }, true, false),
      destination({ domainSuffixes: ["test"] }, false, false),
    ],
    domainKeywords: [
      destination({ domainKeywords: ["examp"] }, true, false),
      destination({ domainKeywords: ["tset"] }, false, false),
    ],
    ipCidrs: [
      destination({ ipCidrs: ["10.0.0.0/8"] }, false, true),
      destination({ ipCidrs: ["8.8.8.8"] }, false, false),
    ],
    ipIsPrivate: [destination({ ipIsPrivate: true }, false, true)],
    sourceIpCidrs: [
      inGroup("source")({ sourceIpCidrs: ["192.0.2.0/24"] }, true, true),
      inGroup("source")({ sourceIpCidrs: ["10.0.0.0/8"] }, false, false),
    ],
    ports: [port({ ports: [443] }, true, true), port({ ports: [80] }, false, false)],
    portRanges: [port({ portRanges: ["400:"] }, true, true), port({ portRanges: [":400"] }, false, false)],
  };
  const names = Object.keys(fields);
  const pairs = names.flatMap((first, index) =>
    names.slice(index + 1).map((second) => [first, second] as const),
  );

  it("are any two of the eleven that there are", () => {
    assert.equal(pairs.length, 55);
  });

  for (const [first, second] of pairs) {
    it(`combine as in sing-box: ${first} and ${second}`, () => {
      for (const one of fields[first] ?? []) {
        for (const other of fields[second] ?? []) {
          const both = { ...one.conditions, ...other.conditions };
          const expected = connections.map((_, at) =>
            one.group === other.group
              ? one.metBy[at] === true || other.metBy[at] === true
              : one.metBy[at] === true && other.metBy[at] === true,
          );
          const given = JSON.stringify(both);
          assert.deepEqual(
            connections.map((facts) => matches(both, facts)),
            expected,
            given,
          );
          assert.deepEqual(
            connections.map((facts) => matches({ ...both, invert: true }, facts)),
            expected.map((met) => !met),
            given,
          );
        }
      }
    });
  }

  it("of three groups have to be met all", () => {
    const conditions = { inbounds: ["in"], domainSuffixes: ["com"], ipCidrs: ["10.0.0.0/8"], ports: [443] };
    const answers = [
      factsOf({ host: "www.example.com" }),
      factsOf({ host: "10.0.0.1" }),
      factsOf({ host: "www.example.org" }),
      factsOf({ host: "11.0.0.1" }),
      factsOf({ host: "10.0.0.1", port: 80 }),
      factsOf({ host: "10.0.0.1", inbound: "x" }),
    ].map((facts) => matches(conditions, facts));
    assert.deepEqual(answers, [true, true, false, false, false, false]);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { alice, bob, startRoutedApp } from "./helpers/routed-app.js";
import { countedFor, outcomeOf, type RoutedOutcomeOptions } from "./helpers/routed-outcome.js";

const io = { timeout: 10_000 };

describe("App's rules", () => {
  const atLocalhost: RoutedOutcomeOptions = { host: "localhost" };
  const atAddress: RoutedOutcomeOptions = { host: "127.0.0.1" };
  const cases: readonly (readonly [
    conditions: object,
    met: readonly RoutedOutcomeOptions[],
    unmet: readonly RoutedOutcomeOptions[],
  ])[] = [
    [{ inbound: "login" }, [{ inbound: "login", user: bob }], [{}]],
    [{ auth_user: "alice" }, [{ inbound: "login", user: alice }], [{ inbound: "login", user: bob }, {}]],
    [{ network: "tcp" }, [{}], []],
    [{ network: "udp" }, [], [{}]],
    [{ domain: "localhost" }, [atLocalhost, { host: "LOCALHOST" }], [atAddress]],
    [{ domain: "local" }, [], [atLocalhost]],
    [{ domain_suffix: "localhost" }, [atLocalhost, { host: "ｌｏｃａｌｈｏｓｔ" }], [atAddress]],
    [{ domain_suffix: ".localhost" }, [], [atLocalhost]],
    [{ domain_keyword: "CALHO" }, [atLocalhost], [atAddress]],
    [{ ip_cidr: "127.0.0.0/8" }, [atAddress, { host: "127.1" }, { host: "0x7f000001" }], [atLocalhost]],
    [{ ip_cidr: ["10.0.0.0/8", "::/0"] }, [], [atAddress]],
    [{ ip_is_private: true }, [atAddress, { host: "2130706433" }], [atLocalhost]],
    [{ source_ip_cidr: ["10.0.0.0/8", "127.0.0.1"] }, [{}, atLocalhost], []],
    [{ source_ip_cidr: "10.0.0.0/8" }, [], [{}]],
    [{ port_range: "1:" }, [{}], []],
    [{ port_range: ":0" }, [], [{}]],
    [{ port: 0 }, [], [{}]],
    [{ port: 0, port_range: "1:" }, [{}], []],
    [{ port: 0, invert: true }, [{}], []],
    [{ domain: "localhost", ip_cidr: "127.0.0.1" }, [atLocalhost, atAddress], []],
    [
      { domain: "localhost", inbound: "login" },
      [{ ...atLocalhost, inbound: "login", user: bob }],
      [atLocalhost],
    ],
    [{ domain: "localhost", port: 0 }, [], [atLocalhost]],
    [{ domain: "localhost", port: 0, invert: true }, [atLocalhost, atAddress], []],
    [{ domain: "localhost", ip_is_private: true, invert: true }, [], [atLocalhost, atAddress]],
  ];
  for (const [conditions, met, unmet] of cases) {
    const route = { rules: [{ ...conditions, outbound: "two" }] };
    for (const options of met) {
      it(`send along what meets them: ${JSON.stringify(conditions)}, ${shown(options)}`, io, async (t) => {
        assert.deepEqual(await outcomeOf(t, await startRoutedApp(t, { route }), options), {
          reply: 0,
          outbound: "two",
          rule: "rules[0]",
          counted: countedFor("two"),
        });
      });
    }
    for (const options of unmet) {
      it(`leave alone what does not: ${JSON.stringify(conditions)}, ${shown(options)}`, io, async (t) => {
        assert.deepEqual(await outcomeOf(t, await startRoutedApp(t, { route }), options), {
          reply: 0,
          outbound: "one",
          rule: "final",
          counted: countedFor("one"),
        });
      });
    }
  }

  it("are asked in their order: the first that matches decides", io, async (t) => {
    const rules = [
      { domain: "localhost", port: 0, action: "reject" },
      { ip_is_private: true, action: "reject" },
      { domain_suffix: "localhost", outbound: "two" },
      { domain: "localhost", action: "reject" },
    ];
    assert.deepEqual(await outcomeOf(t, await startRoutedApp(t, { route: { rules } }), atLocalhost), {
      reply: 0,
      outbound: "two",
      rule: "rules[2]",
      counted: countedFor("two"),
    });
  });

  const dodges: readonly (readonly [conditions: object, ...hosts: string[]])[] = [
    [
      { domain: "localhost" },
      "localhost",
      "LocalHost",
      "localhost.",
      "ｌｏｃａｌｈｏｓｔ",
      "local\u00adhost",
    ],
    [{ domain: "ＬＯＣＡＬＨＯＳＴ." }, "localhost"],
    [{ domain: "bücher.de" }, "xn--bcher-kva.de", "BÜCHER.de", "bu\u0308cher。de."],
    [{ domain: "xn--bcher-kva.de" }, "bücher.de", "XN--BCHER-KVA.DE"],
    [{ domain_suffix: "example.com" }, "EXAMPLE.COM", "a.ｅxample.com", "a.example.com.", "a/b.example.com"],
    [{ domain_keyword: "büch" }, "xn--bcher-kva.de", "a.BÜCHER.de"],
    [
      { ip_cidr: "127.0.0.0/8" },
      "127.0.0.1",
      "::ffff:127.0.0.1",
      "::ffff:7f00:1",
      "127.1",
      "0177.1",
      "１２７.0.0.1",
    ],
    [{ ip_cidr: "::1" }, "::1", "0:0:0:0:0:0:0:1", "：：１"],
    [
      { ip_is_private: true },
      "127.0.0.1",
      "::1",
      "2130706433",
      "0x7f.1",
      "::ffff:10.0.0.1",
      "169.254.169.254",
      "0",
    ],
  ];
  for (const [conditions, ...hosts] of dodges) {
    for (const host of hosts) {
      it(`are not dodged by ${JSON.stringify(host)}: ${JSON.stringify(conditions)}`, io, async (t) => {
        const route = { rules: { ...conditions, action: "reject" } };
        assert.deepEqual(await outcomeOf(t, await startRoutedApp(t, { route }), { host }), {
          reply: 2,
          outbound: "reject",
          rule: "rules[0]",
          counted: [],
        });
      });
    }
  }
});

function shown({ inbound = "open", user, host = "127.0.0.1" }: RoutedOutcomeOptions): string {
  return `${user?.username ?? "somebody"} at ${inbound} to ${JSON.stringify(host)}`;
}

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isUnsupportedKey, isUnsupportedValue } from "../../src/config/unsupported.js";
import { issueLines } from "./issues.js";

const known =
  'expected one of "inbound", "network", "auth_user", "domain", "domain_suffix", "domain_keyword", ' +
  '"source_ip_cidr", "ip_cidr", "ip_is_private", "port", "port_range", "invert", "action", "outbound"';

/** Every key of a rule in sing-box 1.14 that there is not here, with a value as sing-box takes it. */
const keys: Readonly<Record<string, unknown>> = {
  type: "logical",
  mode: "and",
  rules: [{ domain: "a.test" }],
  ip_version: 6,
  protocol: ["tls", "quic"],
  client: "chromium",
  domain_regex: ["^stun\\..+"],
  geosite: "cn",
  source_geoip: "private",
  geoip: ["cn"],
  source_ip_is_private: true,
  source_port: [12_345],
  source_port_range: "1000:2000",
  process_name: "curl",
  process_path: ["/usr/bin/curl"],
  process_path_regex: "^/usr/bin/.+",
  package_name: "com.termux",
  package_name_regex: "^com\\.termux.*",
  user: "alice",
  user_id: [1000],
  clash_mode: "direct",
  network_type: "wifi",
  network_is_expensive: false,
  network_is_constrained: true,
  interface_address: { en0: ["2000::/3"] },
  network_interface_address: { wifi: ["2000::/3"] },
  default_interface_address: "2000::/3",
  wifi_ssid: "My WIFI",
  wifi_bssid: "00:00:00:00:00:00",
  preferred_by: "tailscale",
  source_mac_address: "00:11:22:33:44:55",
  source_hostname: "my-device",
  rule_set: ["geoip-cn"],
  rule_set_ip_cidr_match_source: true,
  rule_set_ipcidr_match_source: true,
  override_address: "a.test",
  override_port: 80,
  network_strategy: "fallback",
  fallback_network_type: "cellular",
  fallback_delay: "300ms",
  udp_disable_domain_unmapping: true,
  udp_connect: true,
  udp_timeout: "5m",
  tls_fragment: true,
  tls_fragment_fallback_delay: "500ms",
  tls_record_fragment: true,
  tls_spoof: "a.test",
  tls_spoof_method: "wrong-ack",
  method: "drop",
  no_drop: true,
  sniffer: ["http"],
  timeout: "300ms",
  server: "local",
  strategy: "ipv4_only",
  disable_cache: true,
  disable_optimistic_cache: true,
  rewrite_ttl: 60,
  client_subnet: "192.0.2.0/24",
};

const actions = ["route-options", "direct", "bypass", "hijack-dns", "sniff", "resolve"];

describe("a key that rules have in sing-box, and not here", () => {
  for (const [key, value] of Object.entries(keys)) {
    it(`is refused by its name: ${key}`, () => {
      const rule = { port: 80, outbound: "direct", [key]: value };
      assert.deepEqual(issueLines({ route: { rules: [rule] } }), [
        `route.rules[0].${key}: not supported here; ${known}`,
      ]);
      assert.deepEqual(issueLines({ route: { rules: rule } }), [
        `route.rules.${key}: not supported here; ${known}`,
      ]);
    });
  }

  it("is refused beside the action reject", () => {
    assert.deepEqual(issueLines({ route: { rules: [{ port: 80, action: "reject", method: "drop" }] } }), [
      `route.rules[0].method: not supported here; ${known}`,
    ]);
  });

  it("is no condition, and none is asked for beside it", () => {
    assert.deepEqual(issueLines({ route: { rules: [{ rule_set: "ads", action: "reject" }] } }), [
      `route.rules[0].rule_set: not supported here; ${known}`,
    ]);
  });

  it("is told from one that nobody has", () => {
    const rule = { port: 80, outbound: "direct", rule_set: "ads", rule_sets: "ads" };
    assert.deepEqual(issueLines({ route: { rules: [rule] } }), [
      `route.rules[0].rule_set: not supported here; ${known}`,
      `route.rules[0].rule_sets: unknown key; ${known}`,
    ]);
  });
});

describe("an action that rules have in sing-box, and not here", () => {
  for (const action of actions) {
    it(`is refused by its name: ${action}`, () => {
      const expected = `not supported here; expected one of "route", "reject", got "${action}"`;
      assert.deepEqual(issueLines({ route: { rules: [{ port: 53, action }] } }), [
        `route.rules[0].action: ${expected}`,
      ]);
      assert.deepEqual(issueLines({ route: { rules: { port: 53, action } } }), [
        `route.rules.action: ${expected}`,
      ]);
    });
  }
});

describe("isUnsupportedKey", () => {
  const cases: readonly (readonly [path: readonly (string | number)[], key: string, expected: boolean])[] = [
    [["route", "rules", 0], "rule_set", true],
    [["route", "rules"], "rule_set", true],
    [["route", "rules", 0], "rule_sets", false],
    [["route", "rules", 0], "domain", false],
    [["route", "rules", 0], "", false],
    [["route"], "rule_set", false],
    [["dns", "rules", 0], "rule_set", false],
    [["route", "rules", 0, "domain"], "rule_set", false],
    [["route", "rules", "x"], "rule_set", false],
    [[], "rule_set", false],
  ];
  for (const [path, key, expected] of cases) {
    it(`says ${expected ? "yes" : "no"} to ${key} at ${JSON.stringify(path)}`, () => {
      assert.equal(isUnsupportedKey(path, key), expected);
    });
  }
});

describe("isUnsupportedValue", () => {
  const cases: readonly (readonly [path: readonly (string | number)[], value: unknown, expected: boolean])[] =
    [
      [["route", "rules", 0, "action"], "sniff", true],
      [["route", "rules", "action"], "sniff", true],
      [["route", "rules", 0, "action"], "sniffs", false],
      [["route", "rules", 0, "action"], "reject", false],
      [["route", "rules", 0, "action"], undefined, false],
      [["route", "rules", 0, "action"], ["sniff"], false],
      [["route", "rules", 0, "domain"], "sniff", false],
      [["route", "action"], "sniff", false],
      [["action"], "sniff", false],
      [[], "sniff", false],
    ];
  for (const [path, value, expected] of cases) {
    it(`says ${expected ? "yes" : "no"} to ${JSON.stringify(value)} at ${JSON.stringify(path)}`, () => {
      assert.equal(isUnsupportedValue(path, value), expected);
    });
  }
});

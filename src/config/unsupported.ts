import type { ConfigPath } from "./config-path.js";

/*
 * What sing-box (1.14) has in its rules and this package has not: refused as that, and not as a slip of the hand.
 */

/** Whether a key of a section is one that sing-box knows. */
export function isUnsupportedKey(section: ConfigPath, key: string): boolean {
  return isRule(section) && ruleKeys.has(key);
}

/** Whether a value is one that sing-box knows. */
export function isUnsupportedValue(path: ConfigPath, value: unknown): boolean {
  return isRule(path.slice(0, -1)) && path.at(-1) === "action" && ruleActions.has(value);
}

/** `route.rules[0]`, or `route.rules` where there is only one. */
function isRule(path: ConfigPath): boolean {
  const [route, rules, index, ...rest] = path;
  return route === "route" && rules === "rules" && typeof index !== "string" && rest.length === 0;
}

const ruleActions: ReadonlySet<unknown> = new Set([
  "route-options",
  "direct",
  "bypass",
  "hijack-dns",
  "sniff",
  "resolve",
]);

const ruleKeys: ReadonlySet<string> = new Set([
  // Rules made of rules.
  ...["type", "mode", "rules"],
  // What is known of the destination.
  ...["ip_version", "domain_regex", "geosite", "geoip", "protocol", "client", "preferred_by"],
  ...["rule_set", "rule_set_ip_cidr_match_source", "rule_set_ipcidr_match_source"],
  // What is known of the source.
  ...["source_geoip", "source_ip_is_private", "source_port", "source_port_range"],
  ...["source_mac_address", "source_hostname"],
  ...["process_name", "process_path", "process_path_regex", "package_name", "package_name_regex"],
  ...["user", "user_id"],
  // What is known of the machine.
  ...["clash_mode", "network_type", "network_is_expensive", "network_is_constrained"],
  ...["interface_address", "network_interface_address", "default_interface_address"],
  ...["wifi_ssid", "wifi_bssid"],
  // Options of the actions "route" and "route-options".
  ...["override_address", "override_port", "network_strategy", "fallback_network_type", "fallback_delay"],
  ...["udp_disable_domain_unmapping", "udp_connect", "udp_timeout"],
  ...["tls_fragment", "tls_fragment_fallback_delay", "tls_record_fragment", "tls_spoof", "tls_spoof_method"],
  // Of "reject".
  ...["method", "no_drop"],
  // Of "sniff" and "resolve".
  ...["sniffer", "timeout", "server", "strategy", "disable_cache", "disable_optimistic_cache"],
  ...["rewrite_ttl", "client_subnet"],
]);

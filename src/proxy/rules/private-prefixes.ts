/** The prefixes of all addresses that are not public, as sing-box's `ip_is_private` understands it. */
export const privatePrefixes: readonly string[] = [
  // For private use: RFC 1918 and RFC 4193.
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "fc00::/7",
  // Loopback.
  "127.0.0.0/8",
  "::1",
  // Link-local.
  "169.254.0.0/16",
  "fe80::/10",
  // Multicast of every scope, from one interface's to the whole Internet's.
  "224.0.0.0/4",
  "ff00::/8",
  // Unspecified.
  "0.0.0.0",
  "::",
];

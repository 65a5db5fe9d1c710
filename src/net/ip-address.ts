import { isIPv6, SocketAddress } from "node:net";

/**
 * Writes an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) as the IPv4 address that it stands for. Others stay as they are.
 */
export function unmapped(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}

/** Writes an IP address as sockets do when they say where something came from: each address in one way only. */
export function canonicalAddress(address: string): string {
  // One with a zone (fe80::1%eth0) has no other spelling that a socket would understand. Node tells IPv6 by an expression that
  // takes milliseconds to compile, and who has no colon need not wait for it.
  if (!address.includes(":") || !isIPv6(address) || address.includes("%")) return address;
  return unmapped(new SocketAddress({ address, family: "ipv6" }).address);
}

/** An IPv6 address without the interface that it is for: `fe80::1%eth0` and `::1%lo` are what they are on any link. */
export function withoutZone(address: string): string {
  return address.replace(/%.*/, "");
}

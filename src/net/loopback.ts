import { isIP } from "node:net";
import { canonicalAddress } from "./ip-address.js";

/** Whether an IP address is one of the machine's own loopback: 127.0.0.0/8 or ::1, IPv4-mapped ones included. */
export function isLoopback(address: string): boolean {
  if (isIP(address) === 0) return false;
  const canonical = canonicalAddress(address);
  return canonical === "::1" || canonical.startsWith("127.");
}

/**
 * Whether certainly nobody but this machine reaches what listens on a host: a loopback address, or `localhost`
 * (RFC 6761 §6.3). Where other names lead to is not for certain.
 */
export function isLoopbackHost(host: string): boolean {
  return host.toLowerCase() === "localhost" || isLoopback(host);
}

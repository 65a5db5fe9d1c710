import { isIPv6 } from "node:net";
import { unmapped } from "./ip-address.js";

/**
 * Whom an address that a socket tells belongs to, for bounds on what one client may have: an IPv4 address itself, of an IPv6
 * address its /64, since that is the least that one subscriber is given (RFC 6177 §2) and all of it is his to use.
 *
 * Link-local addresses with a zone stay as they are: their /64 is the same for everyone on the link.
 */
export function clientNetworkOf(address: string): string {
  const host = unmapped(address);
  if (!isIPv6(host) || host.includes("%")) return host;
  const [head = "", tail = ""] = host.split("::");
  const before = groupsOf(head);
  const after = groupsOf(tail);
  const zeros = host.includes("::") ? Array<string>(8 - before.length - after.length).fill("0") : [];
  return `${[...before, ...zeros, ...after].slice(0, 4).join(":")}::/64`;
}

function groupsOf(text: string): string[] {
  return text === "" ? [] : text.split(":");
}

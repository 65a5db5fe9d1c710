import { createSocket } from "node:dgram";
import { isIP, isIPv6 } from "node:net";
import { canonicalAddress, withoutZone } from "./ip-address.js";
import { isLoopback } from "./loopback.js";
import { withoutLookup } from "./without-lookup.js";

/** RFC 863: which port it is does not matter. */
const discardPort = 9;

/**
 * Whether the kernel keeps on this machine what is sent to an IP address: it would send it from that address or from loopback
 * then. So it does with addresses that no list of interfaces has, those of interfaces that are down and of local routes (AnyIP).
 *
 * Nothing is sent: to connect a UDP socket has the kernel look for the route, and no more.
 */
export function leadsHere(address: string): boolean {
  if (isIP(address) === 0) return false;
  const socket = createSocket({ type: isIPv6(address) ? "udp6" : "udp4", lookup: withoutLookup });
  // There is no route, or no descriptor left.
  socket.on("error", () => undefined);
  try {
    // It is connected, or has failed, when this returns: synchronous, since there is nothing to look up.
    socket.connect(discardPort, address);
    const source = canonical(socket.address().address);
    return source === canonical(address) || isLoopback(source);
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

function canonical(address: string): string {
  return canonicalAddress(withoutZone(address));
}

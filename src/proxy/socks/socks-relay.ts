import { isIP, isIPv6 } from "node:net";
import { DialError } from "../../net/dial-error.js";
import type { Lookup } from "../../net/dial.js";
import type { Endpoint } from "../../net/endpoint.js";
import { canonicalAddress } from "../../net/ip-address.js";
import { toError } from "../../net/system-error.js";

/** What is known of a SOCKS5 server when it has made an association. */
export interface SocksRelayOptions {
  /** BND.ADDR and BND.PORT of its reply. */
  readonly boundTo: Endpoint;
  /** The server's IP address, as it was dialled. */
  readonly serverHost: string;
  readonly lookup: Lookup;
}

/**
 * Finds where a SOCKS5 server wants to have its packets: at an address that it names, by IP address or by name, or at
 * its own, which it does not know itself where a NAT lies before it, and which is then said by zeros.
 *
 * @returns the endpoint, its host as sockets write it.
 * @throws DialError with the bare reason.
 */
export async function findSocksRelay({ boundTo, serverHost, lookup }: SocksRelayOptions): Promise<Endpoint> {
  const { port } = boundTo;
  if (port === 0) throw new DialError("failed", "its relay for packets has the port 0");
  const host = canonicalAddress(boundTo.host);
  if (host === "0.0.0.0" || host === "::") return { host: canonicalAddress(serverHost), port };
  return { host: isIP(host) === 0 ? await resolve(host, serverHost, lookup) : host, port };
}

/** An address of the family in which the server can be reached, if the name has one. */
async function resolve(name: string, serverHost: string, lookup: Lookup): Promise<string> {
  try {
    const addresses = (await lookup(name)).map(canonicalAddress);
    const address = addresses.find((found) => isIPv6(found) === isIPv6(serverHost)) ?? addresses[0];
    if (address !== undefined) return address;
  } catch (cause) {
    throw new DialError("unresolved", `its relay for packets, ${name}: ${toError(cause).message}`, { cause });
  }
  throw new DialError("unresolved", `its relay for packets, ${name}, has no address`);
}

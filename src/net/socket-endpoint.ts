import type { Socket } from "node:net";
import type { Endpoint } from "./endpoint.js";
import { unmapped } from "./ip-address.js";

/** What stands for an end that is not known any more, because the socket is closed. */
const unspecified: Endpoint = { host: "0.0.0.0", port: 0 };

/** Our end of a connected socket. */
export function localEndpointOf({ localAddress, localPort }: Socket): Endpoint {
  return toEndpoint(localAddress, localPort);
}

/** The other end of a connected socket. */
export function remoteEndpointOf({ remoteAddress, remotePort }: Socket): Endpoint {
  return toEndpoint(remoteAddress, remotePort);
}

function toEndpoint(address: string | undefined, port: number | undefined): Endpoint {
  if (address === undefined || port === undefined) return unspecified;
  // A listener for both families reports IPv4 clients as IPv4-mapped IPv6 addresses.
  return { host: unmapped(address), port };
}

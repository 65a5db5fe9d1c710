import { isIP } from "node:net";

/** For sockets that are given IP addresses alone, in place of a resolver: they connect and bind at once then. */
export function withoutLookup(
  host: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, host, isIP(host));
}

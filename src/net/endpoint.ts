import { isIPv6 } from "node:net";

/** One end of a connection, or where something listens. */
export interface Endpoint {
  /** A host name, or an IP address without brackets. Where something listens, empty for every address of the machine. */
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
}

/** The largest port number there is. */
export const maxPort = 65_535;

/**
 * Reads `host:port` or `[IPv6]:port`; `undefined` for anything else. The host may be empty (`:8080`), which listeners
 * take for every address.
 */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[(?<v6>[^\]]*)\]|(?<name>[^:[\]\s/@]*)):(?<port>\d{1,5})$/.exec(text);
  const { v6, name, port: digits } = match?.groups ?? {};
  const port = Number(digits);
  if (digits === undefined || port > maxPort) return undefined;
  if (v6 !== undefined) return isIPv6(v6) ? { host: v6, port } : undefined;
  return name === undefined ? undefined : { host: name, port };
}

/** Writes `host:port`, an IPv6 address in brackets. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

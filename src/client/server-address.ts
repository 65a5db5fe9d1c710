import { formatEndpoint, parseEndpoint, type Endpoint } from "../net/endpoint.js";

/** A Unix domain socket. */
export interface SocketPath {
  readonly path: string;
}

/** Where a server listens. */
export type ServerAddress = Endpoint | SocketPath;

const unixPrefix = "unix:";

/** Reads `host:port`, `[IPv6]:port` or `unix:/path`, as gRPC writes it; `undefined` for anything else. An empty host is this machine. */
export function parseServerAddress(text: string): ServerAddress | undefined {
  if (text.startsWith(unixPrefix)) {
    const path = text.slice(unixPrefix.length);
    return path === "" || path.includes("\0") ? undefined : { path };
  }
  const server = parseEndpoint(text);
  if (server === undefined || server.port === 0) return undefined;
  return { ...server, host: server.host === "" ? "localhost" : server.host };
}

/** Writes it in that way. */
export function formatServerAddress(server: ServerAddress): string {
  return "path" in server ? `${unixPrefix}${server.path}` : formatEndpoint(server);
}

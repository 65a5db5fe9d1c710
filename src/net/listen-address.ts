import { posix } from "node:path";
import { formatEndpoint, parseEndpoint, type Endpoint } from "./endpoint.js";

/** A Unix socket: where something listens for those who may open a file. */
export interface UnixAddress {
  /** The file's absolute path. */
  readonly path: string;
}

/** Where something listens: an address and a port, or a Unix socket. */
export type ListenAddress = Endpoint | UnixAddress;

/**
 * The longest path that a Unix socket is given, in bytes: what every kernel takes (`sockaddr_un` has room for 108 of them on
 * Linux and for 104 elsewhere, the zero behind it included). Node would cut off what is beyond.
 */
export const maxSocketPathBytes = 103;
/** The longest path of the folder that it is in: the socket is made one folder below. */
export const maxSocketFolderBytes = 89;

const prefix = "unix:";

/** Reads `host:port`, `[IPv6]:port`, `:port` or `unix:/path`; `undefined` for anything else. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (!text.startsWith(`${prefix}/`)) return parseEndpoint(text);
  const path = posix.normalize(text.slice(prefix.length));
  return isSocketPath(path) ? { path } : undefined;
}

/** Writes one as it is read. */
export function formatListenAddress(address: ListenAddress): string {
  return isUnix(address) ? `${prefix}${address.path}` : formatEndpoint(address);
}

/** Whether it is a Unix socket, and no address with a port. */
export function isUnix(address: ListenAddress): address is UnixAddress {
  return "path" in address;
}

function isSocketPath(path: string): boolean {
  if (path.endsWith("/") || path.includes("\0")) return false;
  if (Buffer.byteLength(path) > maxSocketPathBytes) return false;
  return Buffer.byteLength(posix.dirname(path)) <= maxSocketFolderBytes;
}

import type { Config } from "./config/config.js";
import type { ConnectionBounds } from "./net/connection-limits.js";
import type { ClientTimes } from "./proxy/client-times.js";
import type { KnownUsers } from "./track/online-users.js";

/** Whom the config counts. */
export function knownOf({ experimental }: Config): KnownUsers {
  const { enabled, users, online_loopback: countLoopback } = experimental.v2ray_api.stats;
  return { users: enabled ? users : [], countLoopback };
}

/** How many connections the config allows. */
export function boundsOf({ experimental: { limits } }: Config): ConnectionBounds {
  return { maxCount: limits.connections, maxPerSource: limits.connections_per_source };
}

/** Of all that have them, only the app writes to them. */
export type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** How long the config lets clients take. */
export function timesOf({ experimental: { timeouts } }: Config): Mutable<ClientTimes> {
  return {
    handshakeMs: timeouts.handshake,
    lingerMs: timeouts.linger,
    httpKeepAliveMs: timeouts.http_keep_alive,
  };
}

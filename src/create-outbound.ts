import type { OutboundConfig } from "./config/outbounds.js";
import type { Logger } from "./log/logger.js";
import { DirectOutbound, type DirectOutboundOptions } from "./proxy/direct/direct-outbound.js";
import { HttpOutbound } from "./proxy/http/http-outbound.js";
import { limitNetworks } from "./proxy/network-limit.js";
import type { Outbound } from "./proxy/outbound.js";
import { SocksOutbound } from "./proxy/socks/socks-outbound.js";

/**
 * What all outbounds of an app share: who finds the addresses of names, and who knows the sockets that lead out, and where
 * they must not lead to.
 */
export interface OutboundSurroundings extends Required<
  Pick<DirectOutboundOptions, "resolver" | "ownSockets" | "ownListeners">
> {
  readonly logger: Logger;
}

/** Makes the outbound that a config describes. */
export function createOutbound(
  config: OutboundConfig,
  { logger, resolver, ownSockets, ownListeners }: OutboundSurroundings,
): Outbound {
  const { tag } = config;
  if (config.type === "block") return { tag, blocks: true };
  const { connect_timeout: connectTimeoutMs } = config;
  if (config.type === "direct") {
    return new DirectOutbound({ tag, connectTimeoutMs, resolver, ownSockets, ownListeners });
  }
  const { server: host, server_port: port, username, password = "" } = config;
  const login = username === undefined ? undefined : { username, password };
  const dialed = { connectTimeoutMs, lookup: resolver.resolve, ownSockets, ownListeners };
  const options = { tag, server: { host, port }, login, ...dialed };
  if (config.type === "socks")
    return limitNetworks(new SocksOutbound({ ...options, logger }), config.network);
  const { enabled, insecure, server_name: serverName, certificate_path: certificatePath } = config.tls;
  return new HttpOutbound({
    ...options,
    tls: enabled ? { insecure, serverName, certificatePath } : undefined,
  });
}

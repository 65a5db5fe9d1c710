import type { InboundConfig } from "./config/inbounds.js";
import type { Logger } from "./log/logger.js";
import type { Endpoint } from "./net/endpoint.js";
import type { ClientTimes } from "./proxy/client-times.js";
import { DirectInbound, type DirectInboundOptions } from "./proxy/direct/direct-inbound.js";
import type { Inbound, PacketHandler, RequestHandler } from "./proxy/inbound.js";
import { ProxyInbound } from "./proxy/proxy-inbound.js";

/** Who takes over what an inbound accepts. */
export interface InboundHandlers {
  readonly onRequest: RequestHandler;
  readonly onPackets: PacketHandler;
  /** Which connections it takes. */
  readonly admit: NonNullable<DirectInboundOptions["admit"]>;
}

/** What all inbounds of an app share. */
export interface InboundSurroundings extends Required<Pick<DirectInboundOptions, "ownSockets">> {
  /** How long clients may take. */
  readonly times: ClientTimes;
  readonly logger: Logger;
}

/**
 * Makes the inbound that a config describes.
 *
 * @param listen - Where, whatever the config says: with the port that one had that is made anew.
 */
export function createInbound(
  config: InboundConfig,
  listen: Endpoint,
  handlers: InboundHandlers,
  { logger, ownSockets, times }: InboundSurroundings,
): Inbound {
  const { tag, listen_port: port } = config;
  const common = { tag, listen, logger };
  if (config.type === "http") {
    return new ProxyInbound({ ...common, ...handlers, type: config.type, users: config.users, times });
  }
  const { udp_timeout: udpTimeoutMs } = config;
  if (config.type !== "direct") {
    const { type, users } = config;
    return new ProxyInbound({ ...common, ...handlers, type, users, udpTimeoutMs, times });
  }
  const { network, override_address: address, override_port: override = port } = config;
  return new DirectInbound({
    ...common,
    destination: { host: address, port: override },
    onRequest: network.includes("tcp") ? handlers.onRequest : undefined,
    onPackets: network.includes("udp") ? handlers.onPackets : undefined,
    admit: handlers.admit,
    udpTimeoutMs,
    ownSockets,
  });
}

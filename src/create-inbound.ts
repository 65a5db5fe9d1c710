import type { InboundConfig } from "./config/inbounds.js";
import type { Logger } from "./log/logger.js";
import { admitOthers } from "./net/admit-others.js";
import type { Endpoint } from "./net/endpoint.js";
import type { LoginBrake } from "./net/login-brake.js";
import type { ClientTimes } from "./proxy/client-times.js";
import { DirectInbound, type DirectInboundOptions } from "./proxy/direct/direct-inbound.js";
import type { Inbound, PacketHandler, RequestHandler } from "./proxy/inbound.js";
import { LoopReport } from "./proxy/loop-report.js";
import { ProxyInbound, type ProxyInboundOptions } from "./proxy/proxy-inbound.js";

/** Who takes over what an inbound accepts. */
export interface InboundHandlers {
  readonly onRequest: RequestHandler;
  readonly onPackets: PacketHandler;
  /** Which connections it takes. */
  readonly admit: NonNullable<DirectInboundOptions["admit"]>;
}

/** What all inbounds of an app share. */
export interface InboundSurroundings
  extends
    Required<Pick<DirectInboundOptions, "ownSockets">>,
    Required<Pick<ProxyInboundOptions, "ownListeners">> {
  /** Slows the answers to those who log in wrongly. */
  readonly logins: LoginBrake;
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
  { logger, ownSockets, ownListeners, logins, times }: InboundSurroundings,
): Inbound {
  const { tag, listen_port: port } = config;
  const common = { tag, listen, logger };
  const loops = new LoopReport({ inbound: tag, network: "tcp", logger });
  const admit = admitOthers(handlers.admit, {
    isOwnConnection: ownSockets.isConnection,
    onOwnConnection: (source) => {
      loops.add(source);
    },
  });
  const forClients = { ...common, ...handlers, admit, ownListeners, logins, times };
  if (config.type === "http") {
    const { type, users, insecure } = config;
    return new ProxyInbound({ ...forClients, type, users, insecure });
  }
  const { udp_timeout: udpTimeoutMs } = config;
  if (config.type !== "direct") {
    const { type, users, insecure } = config;
    return new ProxyInbound({ ...forClients, type, users, insecure, udpTimeoutMs });
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

import type { TestContext } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import { DirectOutbound } from "../../src/proxy/direct/direct-outbound.js";
import { ProxyInbound, type ProxyInboundOptions } from "../../src/proxy/proxy-inbound.js";
import type { RoutesOptions } from "../../src/proxy/routes.js";
import { countPackets, type CountedPackets } from "./counted-packets.js";
import { closeAfter } from "./sockets.js";

export interface PacketProxyOptions extends Partial<ProxyInboundOptions> {
  /** Default: everything leaves through one direct outbound `out`. */
  readonly routes?: RoutesOptions;
}

/** A mixed inbound `in` that carries packets, with everything behind it counted. */
export interface PacketProxy extends CountedPackets {
  readonly inbound: ProxyInbound;
  readonly endpoint: Endpoint;
}

/** Starts it on 127.0.0.1; it is cut after the test. */
export async function startPacketProxy(
  t: TestContext,
  { routes = { final: new DirectOutbound({ tag: "out" }) }, ...options }: PacketProxyOptions = {},
): Promise<PacketProxy> {
  const packets = countPackets(routes);
  const { onPackets, onRequest, logger } = packets;
  const listen = { host: "127.0.0.1", port: 0 };
  const inbound = new ProxyInbound({
    ...{ tag: "in", type: "mixed", listen, onPackets, onRequest, logger },
    ...options,
  });
  closeAfter(t, inbound);
  return { ...packets, inbound, endpoint: await inbound.start() };
}

import type { Network } from "../track/network.js";
import type { DialingOutbound, Outbound, PacketOutbound } from "./outbound.js";

/** Makes of an outbound one that carries these networks only; to any other it is a closed door. */
export function limitNetworks(
  outbound: DialingOutbound & PacketOutbound,
  networks: readonly Network[],
): Outbound {
  const { tag } = outbound;
  const hasConnections = networks.includes("tcp");
  const hasPackets = networks.includes("udp");
  if (hasConnections && hasPackets) return outbound;
  if (hasConnections) {
    return { tag, blocks: false, dial: async (destination, options) => outbound.dial(destination, options) };
  }
  if (hasPackets) {
    return { tag, blocks: false, dialPackets: async (options) => outbound.dialPackets(options) };
  }
  return { tag, blocks: true };
}

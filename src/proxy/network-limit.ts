import { DialError } from "../net/dial-error.js";
import { formatEndpoint } from "../net/endpoint.js";
import type { DialingOutbound, PacketOutbound } from "./outbound.js";

/** What an outbound may carry. */
export type Network = "tcp" | "udp";

/** Makes of an outbound one that carries these networks only; to any other it is a closed door. */
export function limitNetworks(outbound: PacketOutbound, networks: readonly Network[]): DialingOutbound {
  const { tag } = outbound;
  const dial: DialingOutbound["dial"] = async (destination, options) => {
    if (networks.includes("tcp")) return outbound.dial(destination, options);
    const what = `connect to ${formatEndpoint(destination)}`;
    throw new DialError("blocked", `${what}: the outbound ${tag} carries no TCP`);
  };
  const limited: DialingOutbound = { tag, blocks: false, dial };
  if (!networks.includes("udp")) return limited;
  const packets: PacketOutbound = {
    ...limited,
    dialPackets: async (options) => outbound.dialPackets(options),
  };
  return packets;
}

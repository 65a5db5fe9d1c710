import { dial, type DialOptions } from "../net/dial.js";
import { DirectPacketConnection } from "../net/direct-packet-connection.js";
import type { Endpoint } from "../net/endpoint.js";
import type { PacketConnection } from "../net/packet-connection.js";
import { localEndpointOf } from "../net/socket-endpoint.js";
import type { DialingOutbound, OutboundConnection, OutboundDialOptions, PacketOutbound } from "./outbound.js";

export interface DirectOutboundOptions extends Omit<DialOptions, "signal"> {
  readonly tag: string;
}

/** Leaves straight to the destination. */
export class DirectOutbound implements DialingOutbound, PacketOutbound {
  readonly tag: string;
  readonly blocks = false;
  readonly #dialOptions: DialOptions;

  constructor({ tag, ...dialOptions }: DirectOutboundOptions) {
    this.tag = tag;
    this.#dialOptions = dialOptions;
  }

  async dial(destination: Endpoint, { signal }: OutboundDialOptions = {}): Promise<OutboundConnection> {
    const connection = await dial(destination, { ...this.#dialOptions, signal });
    return { connection, boundTo: localEndpointOf(connection) };
  }

  async dialPackets(): Promise<PacketConnection> {
    return Promise.resolve(new DirectPacketConnection(this.#dialOptions));
  }
}

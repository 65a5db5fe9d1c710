import { dial, type DialOptions } from "../../net/dial.js";
import { DirectPacketConnection } from "../../net/direct-packet-connection.js";
import type { Endpoint } from "../../net/endpoint.js";
import type { PacketConnection } from "../../net/packet-connection.js";
import { Resolver } from "../../net/resolver.js";
import { localEndpointOf } from "../../net/socket-endpoint.js";
import type {
  DialingOutbound,
  OutboundConnection,
  OutboundDialOptions,
  PacketOutbound,
} from "../outbound.js";

export interface DirectOutboundOptions extends Omit<DialOptions, "signal" | "lookup"> {
  readonly tag: string;
  /** Finds the addresses of names, for connections and for packets. Default: one of its own. */
  readonly resolver?: Resolver;
}

/** Leaves straight to the destination. */
export class DirectOutbound implements DialingOutbound, PacketOutbound {
  readonly tag: string;
  readonly blocks = false;
  readonly #resolver: Resolver;
  readonly #dialOptions: Omit<DialOptions, "signal">;

  constructor({ tag, resolver = new Resolver(), ...dialOptions }: DirectOutboundOptions) {
    this.tag = tag;
    this.#resolver = resolver;
    this.#dialOptions = { ...dialOptions, lookup: resolver.resolve };
  }

  async dial(destination: Endpoint, { signal }: OutboundDialOptions = {}): Promise<OutboundConnection> {
    const connection = await dial(destination, { signal, ...this.#dialOptions });
    return { connection, boundTo: localEndpointOf(connection) };
  }

  async dialPackets(): Promise<PacketConnection> {
    return Promise.resolve(
      new DirectPacketConnection({
        resolver: this.#resolver,
        ownSockets: this.#dialOptions.ownSockets,
        ownListeners: this.#dialOptions.ownListeners,
      }),
    );
  }
}

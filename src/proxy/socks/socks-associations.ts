import { silentLogger, type Logger } from "../../log/logger.js";
import { formatEndpoint } from "../../net/endpoint.js";
import type { OwnListeners } from "../../net/own-listeners.js";
import { remoteEndpointOf } from "../../net/socket-endpoint.js";
import { toError } from "../../net/system-error.js";
import { defaultClientTimes, type ClientTimes } from "../client-times.js";
import type { PacketHandler } from "../inbound.js";
import { SocksAssociation } from "./socks-association.js";
import type { AssociateRequest } from "./socks5-handshake.js";

export interface SocksAssociationsOptions {
  /** Tag of the inbound, for the requests. */
  readonly inbound: string;
  readonly onPackets: PacketHandler;
  /** How many there may be at the same time: each takes a port and at least three descriptors. Default: 4,096. */
  readonly maxCount?: number;
  /** How long an association may go without a packet either way, in milliseconds. Default: 300,000, as in sing-box. */
  readonly idleTimeoutMs?: number;
  /** How long clients may take. Default: {@link defaultClientTimes}. */
  readonly times?: ClientTimes;
  /** Is told of the port of each. Default: nobody is. */
  readonly ownListeners?: OwnListeners | undefined;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** The UDP associations of a SOCKS inbound, of which there is a bounded number. */
export class SocksAssociations {
  readonly #options: Required<Omit<SocksAssociationsOptions, "ownListeners">>;
  readonly #ownListeners: OwnListeners | undefined;
  #count = 0;

  constructor({
    maxCount = 4_096,
    idleTimeoutMs = 300_000,
    times = defaultClientTimes,
    ownListeners,
    logger = silentLogger,
    ...options
  }: SocksAssociationsOptions) {
    this.#ownListeners = ownListeners;
    this.#options = { ...options, maxCount, idleTimeoutMs, times, logger };
  }

  /** Gives a client its association, and resolves when that is over. It never rejects. */
  async serve(request: AssociateRequest): Promise<void> {
    const { control, expected, user } = request;
    const { inbound, onPackets, maxCount, idleTimeoutMs, times, logger } = this.#options;
    const source = remoteEndpointOf(control);
    const facts = { inbound, user, source: formatEndpoint(source) };
    if (this.#count >= maxCount) {
      logger.warn(`no association beyond ${maxCount}`, facts);
      request.reject();
      return;
    }
    this.#count += 1;
    let forget: (() => void) | undefined;
    try {
      const association = new SocksAssociation({ control, expected, idleTimeoutMs, times, logger });
      // Others could send into it, and be taken for its client.
      forget = this.#ownListeners?.add("udp", association.relay.port);
      request.accept(association.relay);
      await onPackets({ inbound, client: association, user, source });
    } catch (error) {
      logger.warn(`no association: ${toError(error).message}`, facts);
      request.reject();
    } finally {
      forget?.();
      this.#count -= 1;
    }
  }
}

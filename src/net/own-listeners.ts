import { CountsByKey } from "./counts-by-key.js";
import type { Endpoint } from "./endpoint.js";
import { LocalAddresses } from "./local-addresses.js";

/** The ports where an app listens at the moment, so that it does not connect to itself for whoever asks it to. */
export class OwnListeners {
  readonly #addresses: LocalAddresses;
  /** How many listen on a port: on different addresses there may be several. */
  readonly #counts = { tcp: new CountsByKey<number>(), udp: new CountsByKey<number>() };

  /** @param addresses - Tells which are this machine's. Default: one of its own. */
  constructor(addresses: LocalAddresses = new LocalAddresses()) {
    this.#addresses = addresses;
  }

  /** Takes a listener. @returns what is to be called when it listens no more; safe to call twice. */
  add(network: "tcp" | "udp", port: number): () => void {
    return this.#counts[network].take(port);
  }

  /**
   * Whether an IP address and port lead to one of them. Any address of this machine counts, whichever it listens on: what
   * leads from one to the other (a redirection of the kernel's, a further address) is not known here.
   */
  has(network: "tcp" | "udp", { host, port }: Endpoint): boolean {
    return this.#counts[network].get(port) > 0 && this.#addresses.has(host);
  }
}

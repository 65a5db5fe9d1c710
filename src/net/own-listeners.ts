import type { Endpoint } from "./endpoint.js";
import { LocalAddresses } from "./local-addresses.js";

/** The ports where an app listens at the moment, so that it does not connect to itself for whoever asks it to. */
export class OwnListeners {
  readonly #addresses: LocalAddresses;
  /** How many listen on a port: on different addresses there may be several. */
  readonly #counts = { tcp: new Map<number, number>(), udp: new Map<number, number>() };

  /** @param addresses - Tells which are this machine's. Default: one of its own. */
  constructor(addresses: LocalAddresses = new LocalAddresses()) {
    this.#addresses = addresses;
  }

  /** Takes a listener. @returns what is to be called when it listens no more; safe to call twice. */
  add(network: "tcp" | "udp", port: number): () => void {
    const counts = this.#counts[network];
    counts.set(port, (counts.get(port) ?? 0) + 1);
    let isThere = true;
    return () => {
      if (!isThere) return;
      isThere = false;
      const left = (counts.get(port) ?? 0) - 1;
      if (left > 0) counts.set(port, left);
      else counts.delete(port);
    };
  }

  /**
   * Whether an IP address and port lead to one of them. Any address of this machine counts, whichever it listens on: what
   * leads from one to the other (a redirection of the kernel's, a further address) is not known here.
   */
  has(network: "tcp" | "udp", { host, port }: Endpoint): boolean {
    return this.#counts[network].has(port) && this.#addresses.has(host);
  }
}

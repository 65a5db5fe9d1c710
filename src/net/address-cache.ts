import { isIP } from "node:net";
import type { Lookup } from "./dial.js";
import { canonicalAddress } from "./ip-address.js";

/** How long what a look-up found is used, in milliseconds: the resolver does not say how long it may be. */
const keepMs = 60_000;
/** How long a name that has no address is not looked up again, in milliseconds. */
const keepFailureMs = 5_000;
/** How many hosts are remembered. */
const maxHostCount = 1_024;
/** How many look-ups may run at once: all of a process share four threads. */
const maxLookupCount = 16;

/** What is known of a host: its address, or the look-up that is to find it or has failed. */
interface KnownHost {
  readonly address?: string;
  readonly lookup?: Promise<string>;
  readonly expiresAtMs: number;
}

/** Finds the addresses of the hosts that packets are meant for, with one look-up for all packets of a minute. */
export class AddressCache {
  readonly #lookup: Lookup;
  readonly #hosts = new Map<string, KnownHost>();
  #runningCount = 0;

  constructor(lookup: Lookup) {
    this.#lookup = lookup;
  }

  /** The address of a host, if it is known: of an IP address at once, of a name after {@link resolve}. */
  get(host: string): string | undefined {
    const { address } = this.#known(host) ?? {};
    if (address !== undefined || isIP(host) === 0) return address;
    const canonical = canonicalAddress(host);
    this.#remember(host, { address: canonical, expiresAtMs: Infinity });
    return canonical;
  }

  /**
   * Looks a name up; whoever asks while that goes on is given the same answer.
   *
   * @throws Error if it has no address, or if too many others are being looked up.
   */
  async resolve(host: string): Promise<string> {
    const { lookup: known } = this.#known(host) ?? {};
    if (known !== undefined) return known;
    if (this.#runningCount >= maxLookupCount) {
      throw new Error(`${host} is not looked up while ${maxLookupCount} other names are`);
    }
    const lookup = this.#find(host);
    this.#remember(host, { lookup, expiresAtMs: Infinity });
    try {
      const address = await lookup;
      this.#remember(host, { address, expiresAtMs: performance.now() + keepMs });
      return address;
    } catch (error) {
      this.#remember(host, { lookup, expiresAtMs: performance.now() + keepFailureMs });
      throw error;
    }
  }

  async #find(host: string): Promise<string> {
    this.#runningCount += 1;
    try {
      const [first] = await this.#lookup(host);
      if (first === undefined) throw new Error(`${host} has no address`);
      return canonicalAddress(first);
    } finally {
      this.#runningCount -= 1;
    }
  }

  #known(host: string): KnownHost | undefined {
    const known = this.#hosts.get(host);
    if (known === undefined || known.expiresAtMs > performance.now()) return known;
    this.#hosts.delete(host);
    return undefined;
  }

  /** Forgets the host that has been known longest, if there are too many. */
  #remember(host: string, known: KnownHost): void {
    this.#hosts.set(host, known);
    if (this.#hosts.size <= maxHostCount) return;
    for (const oldest of this.#hosts.keys()) {
      this.#hosts.delete(oldest);
      return;
    }
  }
}

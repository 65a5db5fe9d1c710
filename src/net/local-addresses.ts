import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { performance } from "node:perf_hooks";
import { silentLogger, type Logger } from "../log/logger.js";
import { canonicalAddress, withoutZone } from "./ip-address.js";
import { leadsHere as kernelLeadsHere } from "./leads-here.js";
import { isLoopback } from "./loopback.js";
import { toError } from "./system-error.js";

/** How long answers are remembered, in milliseconds: to ask takes some 50 µs, and packets are many. */
const keepMs = 1_000;
/** How many addresses that no interface has are remembered. */
const maxAskedCount = 1_024;

export interface LocalAddressesOptions {
  /** The addresses of the machine's interfaces. Default: asks the operating system. */
  readonly list?: () => readonly string[];
  /** Whether an address that is not among them leads here all the same. Default: asks the kernel for the route. */
  readonly leadsHere?: (address: string) => boolean;
  /** The time, in milliseconds. Default: a clock that nobody sets. */
  readonly now?: () => number;
  /** Told once if the interfaces cannot be asked for. Default: silent. */
  readonly logger?: Logger;
}

/** Tells whether an IP address, in any spelling, leads to this machine. */
export class LocalAddresses {
  readonly #list: () => readonly string[];
  readonly #leadsHere: (address: string) => boolean;
  readonly #now: () => number;
  readonly #logger: Logger;
  #known: ReadonlySet<string> = new Set();
  /** What the kernel has said of others. */
  readonly #asked = new Map<string, boolean>();
  #expiresAtMs = -Infinity;
  #hasWarned = false;

  constructor({
    list = addressesOfInterfaces,
    leadsHere = kernelLeadsHere,
    now = () => performance.now(),
    logger = silentLogger,
  }: LocalAddressesOptions = {}) {
    this.#list = list;
    this.#leadsHere = leadsHere;
    this.#now = now;
    this.#logger = logger;
  }

  /**
   * Loopback, an address of an interface, the unspecified one, with which whoever connects to it connects to themselves, or
   * one that no interface tells of and that leads here all the same.
   */
  has(address: string): boolean {
    const host = canonicalAddress(withoutZone(address));
    if (host === "0.0.0.0" || host === "::" || isLoopback(host)) return true;
    if (isIP(host) === 0) return false;
    this.#forgetOld();
    return this.#known.has(host) || this.#ask(address);
  }

  #forgetOld(): void {
    const time = this.#now();
    if (time < this.#expiresAtMs) return;
    this.#known = new Set(this.#listed().map((address) => canonicalAddress(withoutZone(address))));
    this.#asked.clear();
    this.#expiresAtMs = time + keepMs;
  }

  /** A sandbox may forbid to ask (no AF_NETLINK). */
  #listed(): readonly string[] {
    try {
      return this.#list();
    } catch (error) {
      if (!this.#hasWarned) {
        const { message } = toError(error);
        this.#logger.warn(
          "cannot list the addresses of this machine; the kernel is asked about each by itself",
          {
            error: message,
          },
        );
      }
      this.#hasWarned = true;
      return [];
    }
  }

  #ask(address: string): boolean {
    const known = this.#asked.get(address);
    if (known !== undefined) return known;
    const answer = this.#leadsHere(address);
    if (this.#asked.size >= maxAskedCount) this.#asked.clear();
    this.#asked.set(address, answer);
    return answer;
  }
}

function addressesOfInterfaces(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));
}

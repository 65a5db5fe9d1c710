import { networkInterfaces } from "node:os";
import { performance } from "node:perf_hooks";
import { canonicalAddress } from "./ip-address.js";
import { isLoopback } from "./loopback.js";

/** How long the addresses of the interfaces are remembered, in milliseconds: to ask takes some 50 µs, and packets are many. */
const keepMs = 1_000;

export interface LocalAddressesOptions {
  /** The addresses of the machine's interfaces. Default: asks the operating system. */
  readonly list?: () => readonly string[];
  /** The time, in milliseconds. Default: a clock that nobody sets. */
  readonly now?: () => number;
}

/** Tells whether an IP address, in any spelling, leads to this machine. */
export class LocalAddresses {
  readonly #list: () => readonly string[];
  readonly #now: () => number;
  #known: ReadonlySet<string> = new Set();
  #expiresAtMs = -Infinity;

  constructor({ list = addressesOfInterfaces, now = () => performance.now() }: LocalAddressesOptions = {}) {
    this.#list = list;
    this.#now = now;
  }

  /** Loopback, an address of an interface, or the unspecified one: whoever connects to that connects to themselves. */
  has(address: string): boolean {
    const host = canonicalAddress(withoutZone(address));
    if (host === "0.0.0.0" || host === "::" || isLoopback(host)) return true;
    return this.#ofInterfaces().has(host);
  }

  #ofInterfaces(): ReadonlySet<string> {
    const time = this.#now();
    if (time >= this.#expiresAtMs) {
      this.#known = new Set(this.#list().map((address) => canonicalAddress(withoutZone(address))));
      this.#expiresAtMs = time + keepMs;
    }
    return this.#known;
  }
}

/** `fe80::1%eth0` and `::1%lo` are what they are on any link. */
function withoutZone(address: string): string {
  return address.replace(/%.*/, "");
}

function addressesOfInterfaces(): readonly string[] {
  try {
    return Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));
  } catch {
    // A sandbox may forbid to ask (no AF_NETLINK). Loopback is known without it.
    return [];
  }
}

import { addressBits, parseIpPrefix, type IpAddress } from "./ip-prefix.js";

/**
 * The IP addresses under any of some prefixes.
 *
 * Asking costs one look-up for each length of prefix in use, however many prefixes there are.
 */
export class AddressSet {
  /** By family and length: the bits with which the addresses begin. */
  readonly #prefixes: Readonly<Record<IpAddress["family"], Map<number, Set<bigint>>>> = {
    4: new Map(),
    6: new Map(),
  };

  /**
   * @param prefixes - In CIDR notation, or addresses.
   * @throws RangeError
   */
  constructor(prefixes: Iterable<string>) {
    for (const text of prefixes) this.#add(text);
  }

  has({ family, value }: IpAddress): boolean {
    for (const [length, known] of this.#prefixes[family]) {
      if (known.has(value >> BigInt(addressBits[family] - length))) return true;
    }
    return false;
  }

  #add(text: string): void {
    const prefix = parseIpPrefix(text);
    if (prefix === undefined)
      throw new RangeError(`expected an IP address or CIDR, got ${JSON.stringify(text)}`);
    const { family, length, bits } = prefix;
    const known = this.#prefixes[family].get(length);
    if (known === undefined) this.#prefixes[family].set(length, new Set([bits]));
    else known.add(bits);
  }
}

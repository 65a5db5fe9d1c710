/** How many addresses are remembered. */
const maxAddressCount = 4_096;
/** How many endpoints, over all addresses. */
const maxEndpointCount = 16_384;

/**
 * The endpoints that packets were sent to, so that strangers can be told from those who answer. A bounded number: of more,
 * the addresses that were written to first are forgotten, until they are written to again.
 */
export class WrittenEndpoints {
  readonly #portsByAddress = new Map<string, Set<number>>();
  #count = 0;

  add(address: string, port: number): void {
    if (this.has(address, port)) return;
    const isNew = !this.#portsByAddress.has(address);
    const isFull = this.#count >= maxEndpointCount || (isNew && this.#portsByAddress.size >= maxAddressCount);
    // Before there is a new one, which may belong to the very address that is forgotten.
    if (isFull) this.#forgetFirst();
    const ports = this.#portsByAddress.get(address);
    if (ports === undefined) this.#portsByAddress.set(address, new Set([port]));
    else ports.add(port);
    this.#count += 1;
  }

  has(address: string, port: number): boolean {
    return this.#portsByAddress.get(address)?.has(port) === true;
  }

  #forgetFirst(): void {
    for (const [address, ports] of this.#portsByAddress) {
      this.#portsByAddress.delete(address);
      this.#count -= ports.size;
      return;
    }
  }
}

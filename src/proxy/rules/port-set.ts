import { maxPort } from "../../net/endpoint.js";

/** Ports from one to another, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface PortSetOptions {
  readonly ports?: readonly number[] | undefined;
  /** As {@link parsePortRange} reads them. */
  readonly ranges?: readonly string[] | undefined;
}

/** Some ports, and those of some ranges. */
export class PortSet {
  readonly #ports: ReadonlySet<number>;
  readonly #ranges: readonly PortRange[];

  /** @throws RangeError */
  constructor({ ports = [], ranges = [] }: PortSetOptions) {
    this.#ports = new Set(ports);
    this.#ranges = ranges.map(toRange);
  }

  has(port: number): boolean {
    return this.#ports.has(port) || this.#ranges.some(({ first, last }) => port >= first && port <= last);
  }
}

/**
 * Reads `1000:2000`, `:3000` (from 0 on) or `4000:` (up to 65535); `undefined` for anything else, also for a range whose
 * end comes before its start.
 */
export function parsePortRange(text: string): PortRange | undefined {
  const match = /^(?<from>\d{0,5}):(?<to>\d{0,5})$/.exec(text);
  const { from = "", to = "" } = match?.groups ?? {};
  if (from === "" && to === "") return undefined;
  const first = Number(from);
  const last = to === "" ? maxPort : Number(to);
  return first <= last && last <= maxPort ? { first, last } : undefined;
}

function toRange(text: string): PortRange {
  const range = parsePortRange(text);
  if (range === undefined) throw new RangeError(`expected a port range, got ${JSON.stringify(text)}`);
  return range;
}

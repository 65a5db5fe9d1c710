import { existsSync, readFileSync } from "node:fs";

const tablePath = "/proc/net/tcp";

/** Whether the kernel can be asked about its TCP connections: `{ skip: … }` for the options of a test that does. */
export const needsKernelTable = {
  skip: existsSync(tablePath) ? false : `there is no ${tablePath}`,
} as const;

/** One end of a TCP connection, as the kernel sees it. */
export interface KernelEnd {
  /** Bytes that were sent and not acknowledged yet. */
  readonly sendingBytes: number;
  /** Bytes that have arrived and nobody has read yet. */
  readonly receivedBytes: number;
  /** How long until the next keep-alive probe, in milliseconds; `undefined` where no such probe is due. */
  readonly keepAliveInMs: number | undefined;
}

/** The kernel shows times in hundredths of a second, whatever its own clock runs at. */
const clockTickMs = 10;

/** What the timer column begins with while the keep-alive timer runs and nothing is on its way (proc_net_tcp.txt). */
const keepAliveTimer = 2;

/** The kernel's table of TCP connections, as it was when it was read. */
export class KernelTable {
  readonly #ends = new Map<string, string>();

  /** A line has: number, local address, remote address, state, queues as `tx:rx`, timer as `kind:when`, all in hexadecimal. */
  constructor() {
    for (const line of readFileSync(tablePath, "latin1").split("\n").slice(1)) {
      const [, from, to] = line.trim().split(/\s+/, 3);
      if (from !== undefined && to !== undefined) this.#ends.set(keyOf(portIn(from), portIn(to)), line);
    }
  }

  /** The end at one port of the connection to another one; `undefined` if there is none. */
  end(local: number, remote: number): KernelEnd | undefined {
    const fields = this.#ends.get(keyOf(local, remote))?.trim().split(/\s+/);
    if (fields === undefined) return undefined;
    const [sendingBytes = 0, receivedBytes = 0] = numbersIn(fields[4]);
    const [timer, ticks = 0] = numbersIn(fields[5]);
    const keepAliveInMs = timer === keepAliveTimer ? ticks * clockTickMs : undefined;
    return { sendingBytes, receivedBytes, keepAliveInMs };
  }
}

/** The end at one port of 127.0.0.1 of the connection to another one; `undefined` if there is none. */
export function kernelEnd(local: number, remote: number): KernelEnd | undefined {
  return new KernelTable().end(local, remote);
}

function keyOf(local: number, remote: number): string {
  return `${local}>${remote}`;
}

function portIn(address: string): number {
  return Number.parseInt(address.slice(address.lastIndexOf(":") + 1), 16);
}

function numbersIn(field = ""): readonly number[] {
  return field.split(":").map((digits) => Number.parseInt(digits, 16));
}

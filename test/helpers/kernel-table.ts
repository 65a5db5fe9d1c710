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

/**
 * The end at one port of 127.0.0.1 of the connection to another one; `undefined` if there is none.
 *
 * A line has: number, local address, remote address, state, queues as `tx:rx`, timer as `kind:when`, all in hexadecimal.
 */
export function kernelEnd(local: number, remote: number): KernelEnd | undefined {
  const found = readFileSync(tablePath, "latin1")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .find(([, from = "", to = ""]) => from.endsWith(portText(local)) && to.endsWith(portText(remote)));
  if (found === undefined) return undefined;
  const [sendingBytes = 0, receivedBytes = 0] = numbersIn(found[4]);
  const [timer, ticks = 0] = numbersIn(found[5]);
  const keepAliveInMs = timer === keepAliveTimer ? ticks * clockTickMs : undefined;
  return { sendingBytes, receivedBytes, keepAliveInMs };
}

function portText(port: number): string {
  return `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
}

function numbersIn(field = ""): readonly number[] {
  return field.split(":").map((digits) => Number.parseInt(digits, 16));
}

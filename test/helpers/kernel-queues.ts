import { existsSync, readFileSync } from "node:fs";

const tablePath = "/proc/net/tcp";

/** Whether the kernel can be asked for its queues: `{ skip: … }` for the options of a test that does. */
export const needsKernelQueues = {
  skip: existsSync(tablePath) ? false : `there is no ${tablePath}`,
} as const;

/**
 * How many bytes the kernel holds on their way from one port to another of 127.0.0.1: those that the sender's end has
 * not delivered yet, and those that nobody has read from the receiver's.
 */
export function queuedBytes({ from, to }: { readonly from: number; readonly to: number }): number {
  return queuesOf(from, to).sending + queuesOf(to, from).received;
}

/** One line of the table: number, local address, remote address, state, queues as `tx:rx`, all in hexadecimal. */
function queuesOf(local: number, remote: number): { readonly sending: number; readonly received: number } {
  const lines = readFileSync(tablePath, "latin1")
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  const [localEnd, remoteEnd] = [local, remote].map(
    (port) => `:${port.toString(16).toUpperCase().padStart(4, "0")}`,
  );
  const found = lines.find(
    ([, from = "", to = ""]) => from.endsWith(localEnd ?? "") && to.endsWith(remoteEnd ?? ""),
  );
  const [sending = 0, received = 0] = (found?.[4] ?? "")
    .split(":")
    .map((digits) => Number.parseInt(digits, 16));
  return { sending, received };
}

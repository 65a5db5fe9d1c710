import { KernelTable, needsKernelTable } from "./kernel-table.js";

/** Whether the kernel can be asked for its queues: `{ skip: … }` for the options of a test that does. */
export const needsKernelQueues = needsKernelTable;

/**
 * How many bytes the kernel holds on their way from one port to another of 127.0.0.1: those that the sender's end has
 * not delivered yet, and those that nobody has read from the receiver's.
 *
 * @param table - Default: as it is now. Whoever asks for many connections reads it once.
 */
export function queuedBytes(
  { from, to }: { readonly from: number; readonly to: number },
  table = new KernelTable(),
): number {
  return (table.end(from, to)?.sendingBytes ?? 0) + (table.end(to, from)?.receivedBytes ?? 0);
}

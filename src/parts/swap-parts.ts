import type { Logger } from "../log/logger.js";
import type { Part } from "./part.js";

/** Which parts take the place of which. */
export interface PartSwap {
  /** Those that are open and are to be no more. */
  readonly going: readonly Part[];
  /** Those that are to be open instead. */
  readonly coming: readonly Part[];
  readonly logger: Logger;
}

/**
 * Opens parts one after the other.
 *
 * @throws StartError of the first one that cannot be opened; those before it are closed again then.
 */
export async function openParts(parts: readonly Part[]): Promise<void> {
  const opened: Part[] = [];
  try {
    for (const part of parts) {
      await part.open();
      opened.push(part);
    }
  } catch (error) {
    await cutParts(opened);
    throw error;
  }
}

/**
 * Opens the parts that come, and closes of those that go only the ones that are in their way: where both have the same port of TCP or UDP,
 * whatever the addresses, since `0.0.0.0` takes it on every one. They are the last to be touched. The other ones that go
 * are still open when this resolves.
 *
 * @throws StartError if one cannot be opened. All is as before then: what came is closed, what had to make way is open
 *   again, though its connections are cut. Should that fail as well, it is logged, and the part has no address.
 */
export async function swapParts({ going, coming, logger }: PartSwap): Promise<void> {
  const inTheWay = going.filter((part) => coming.some((next) => needsPortOf(next, part)));
  const late = coming.filter((next) => inTheWay.some((part) => needsPortOf(next, part)));
  const early = coming.filter((next) => !late.includes(next));
  await openParts(early);
  try {
    await Promise.all(inTheWay.map(async (part) => part.close()));
    await openParts(late);
  } catch (error) {
    await cutParts(early);
    for (const part of inTheWay) await reopen(part, logger);
    throw error;
  }
}

function needsPortOf({ listen: { port }, networks }: Part, { address, networks: theirs }: Part): boolean {
  return port !== 0 && port === address?.port && networks.some((network) => theirs.includes(network));
}

async function cutParts(parts: readonly Part[]): Promise<void> {
  await Promise.all(parts.map(async (part) => part.close(AbortSignal.abort())));
}

async function reopen(part: Part, logger: Logger): Promise<void> {
  try {
    await part.open();
  } catch (error) {
    logger.error(`cannot be opened again: ${String(error)}`);
  }
}

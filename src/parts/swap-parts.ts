import type { Logger } from "../log/logger.js";
import { formatListenAddress, isUnix } from "../net/listen-address.js";
import type { ListeningPart } from "./part.js";

/** Which parts take the place of which. */
export interface PartSwap {
  /** Those that are open and are to be no more. */
  readonly going: readonly ListeningPart[];
  /** Those that are to be open instead. */
  readonly coming: readonly ListeningPart[];
  readonly logger: Logger;
}

/**
 * Opens parts one after the other.
 *
 * @throws StartError of the first one that cannot be opened; those before it are closed again then.
 */
export async function openParts(parts: readonly ListeningPart[]): Promise<void> {
  const opened: ListeningPart[] = [];
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
 * Opens the parts that come, and closes of those that go only the ones that are in their way: where both have the same
 * port of TCP or UDP, whatever the addresses, since `0.0.0.0` takes it on every one, or the same Unix socket. They are the
 * last to be touched. The other ones that go are still open when this resolves.
 *
 * @throws StartError if one cannot be opened. All is as before then: what came is closed, what had to make way is open
 *   again, though its connections are cut. Should that fail as well, it is logged, and the part has no address.
 */
export async function swapParts({ going, coming, logger }: PartSwap): Promise<void> {
  const inTheWay = going.filter((part) => coming.some((next) => needsPlaceOf(next, part)));
  const late = coming.filter((next) => inTheWay.some((part) => needsPlaceOf(next, part)));
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

function needsPlaceOf({ listen, networks }: ListeningPart, other: ListeningPart): boolean {
  const { address } = other;
  if (address === undefined) return false;
  if (isUnix(listen) || isUnix(address)) return formatListenAddress(listen) === formatListenAddress(address);
  const { port } = listen;
  return port !== 0 && port === address.port && networks.some((network) => other.networks.includes(network));
}

async function cutParts(parts: readonly ListeningPart[]): Promise<void> {
  await Promise.all(parts.map(async (part) => part.close(AbortSignal.abort())));
}

async function reopen(part: ListeningPart, logger: Logger): Promise<void> {
  try {
    await part.open();
  } catch (error) {
    logger.error(`cannot be opened again: ${String(error)}`);
  }
}

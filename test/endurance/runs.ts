import { idleTunnels } from "./idle-tunnels.js";
import type { Run, RunLimits } from "./run.js";
import { shortConnections } from "./short-connections.js";
import { stalledReaders } from "./stalled-readers.js";
import { udpPackets } from "./udp-packets.js";

const megabyte = 1024 * 1024;
const offeredBytes = 1024 * megabyte;

/**
 * All runs, in their full size: a few minutes together.
 *
 * @param scale - How much of each, for machines that have no room or no time for it all. Default: 1, all of it.
 */
export function fullRuns(scale = 1): readonly Run[] {
  const scaled = (count: number): number => Math.max(1, Math.round(count * scale));
  return [
    shortConnections({
      ...{ count: scaled(25_000), repetitionCount: 2, waitingCount: scaled(100), timeoutMs: 600_000 },
      // Of which 80 are the most that the relays' buffers can come to.
      limits: limits({ rssGrowth: 8, heapGrowth: 1, peak: 224 }),
    }),
    idleTunnels({
      ...{ count: scaled(5_000), idleMs: 60_000, timeoutMs: 300_000, maxTunnelBytes: 40 * 1024 },
      limits: limits({ rssGrowth: 16, heapGrowth: 1, peak: 256 }),
    }),
    stalledReaders({
      ...{ count: scaled(200), offeredBytes, repetitionCount: 2, timeoutMs: 300_000 },
      limits: limits({ rssGrowth: 16, heapGrowth: 1, peak: 128 }),
    }),
    udpPackets({
      ...{ associationCount: scaled(1_000), packetCount: 50, repetitionCount: 2, timeoutMs: 300_000 },
      limits: limits({ rssGrowth: 8, heapGrowth: 1, peak: 128 }),
    }),
  ];
}

/** The same runs, so small that they take a second each: they tell whether the runs themselves still work. */
export function smallRuns(): readonly Run[] {
  // The heap has not warmed up after so little.
  const loose = limits({ rssGrowth: 64, heapGrowth: 8, peak: 128 });
  return [
    shortConnections({ count: 100, repetitionCount: 2, waitingCount: 0, timeoutMs: 30_000, limits: loose }),
    idleTunnels({
      ...{ count: 50, idleMs: 100, timeoutMs: 30_000, maxTunnelBytes: megabyte, limits: loose },
    }),
    stalledReaders({ count: 4, offeredBytes, repetitionCount: 1, timeoutMs: 30_000, limits: loose }),
    udpPackets({
      ...{ associationCount: 50, packetCount: 10, repetitionCount: 2, timeoutMs: 30_000, limits: loose },
    }),
  ];
}

/** In megabytes. */
function limits({
  rssGrowth,
  heapGrowth,
  peak,
}: {
  readonly rssGrowth: number;
  readonly heapGrowth: number;
  readonly peak: number;
}): RunLimits {
  return {
    rssGrowthBytes: rssGrowth * megabyte,
    heapGrowthBytes: heapGrowth * megabyte,
    peakBytes: peak * megabyte,
  };
}

import type { LoadGenerator } from "./load.js";
import type { TransferLoad } from "./load-protocol.js";
import { cpuMsOf, descriptorsOf, rssBytesOf } from "./process-cost.js";
import {
  ours,
  oursUncounted,
  v2rayAll,
  v2rayNone,
  v2rayUsers,
  type RunningServer,
  type ServerKind,
} from "./servers.js";
import { grpcJsStart, ourStart, v2rayStart } from "./starts.js";

/** One thing that is measured of each sample. */
export interface Metric {
  readonly title: string;
  readonly digits: number;
}

/** What one sample came to: a value for each metric, in their order. */
export type Sample = readonly number[];

/** Something that is measured of several servers in one run, side by side. */
export interface Measure {
  readonly name: string;
  readonly title: string;
  /** The first one is compared with each of the others. */
  readonly servers: readonly ServerKind[];
  readonly metrics: readonly Metric[];
  /** How many rounds make a median. */
  readonly roundCount: number;
  /** Whether each sample is of a server that has just begun. */
  readonly isFresh: boolean;
  /** What the load by itself can do: how it was seen that it is not what is measured. */
  check?(load: LoadGenerator): Promise<string>;
  sample(server: RunningServer, load: LoadGenerator): Promise<Sample>;
}

const bulkPeers = [ours, v2rayAll, v2rayUsers, v2rayNone];
const tracking = [ours, oursUncounted];
const gigabyte = 1e9;

/** All there are. */
export const measures: readonly Measure[] = [
  bulk("bulk-up", "Bulk, uplink: one connection", { upBytes: gigabyte }, bulkPeers, 5),
  bulk("bulk-down", "Bulk, downlink: one connection", { downBytes: gigabyte }, bulkPeers, 5),
  bulk(
    "bulk-down-8",
    "Bulk, downlink: eight connections",
    { downBytes: gigabyte / 4, count: 8, parallel: 8 },
    bulkPeers,
    5,
  ),
  bulk("tracked-bulk", "Counting, bulk downlink", { downBytes: gigabyte }, tracking, 15),
  bulk(
    "transfers-2mb",
    "Transfers of 2 MB, eight at a time",
    { downBytes: 2e6, count: 400, parallel: 8 },
    bulkPeers,
    5,
  ),
  bulk(
    "transfers-8mb",
    "Transfers of 8 MB, eight at a time",
    { downBytes: 8e6, count: 100, parallel: 8 },
    bulkPeers,
    5,
  ),
  short("short", "Short connections: 200 bytes up, 2,000 down", [ours, v2rayAll, v2rayUsers], 7),
  short("tracked-short", "Counting, short connections", tracking, 15),
  udp(),
  bursts(),
  idle(),
  start(),
];

function bulk(
  name: string,
  title: string,
  load: Partial<TransferLoad>,
  servers: readonly ServerKind[],
  roundCount: number,
): Measure {
  const whole: TransferLoad = { kind: "transfers", count: 1, parallel: 1, upBytes: 0, downBytes: 1, ...load };
  const gigabytes = (whole.count * Math.max(whole.upBytes, whole.downBytes)) / gigabyte;
  return {
    ...{ name, title, servers, roundCount, isFresh: false },
    metrics: [
      { title: "CPU s/GB", digits: 3 },
      { title: "GB/s", digits: 2 },
    ],
    check: async (generator) => {
      const { wallMs } = await generator.carryOut(whole, undefined);
      return `the load without a proxy: ${(gigabytes / (wallMs / 1_000)).toFixed(2)} GB/s`;
    },
    sample: async ({ pid, socks }, generator) => {
      const before = cpuMsOf(pid);
      const { wallMs } = await generator.carryOut(whole, socks);
      return [(cpuMsOf(pid) - before) / 1_000 / gigabytes, gigabytes / (wallMs / 1_000)];
    },
  };
}

function short(name: string, title: string, servers: readonly ServerKind[], roundCount: number): Measure {
  const load: TransferLoad = { kind: "transfers", count: 4_000, parallel: 8, upBytes: 200, downBytes: 2_000 };
  return {
    ...{ name, title, servers, roundCount, isFresh: false },
    metrics: [
      { title: "CPU µs/connection", digits: 0 },
      { title: "connections/s", digits: 0 },
    ],
    check: async (generator) => {
      const { wallMs } = await generator.carryOut(load, undefined);
      return `the load without a proxy: ${Math.round(load.count / (wallMs / 1_000))} connections/s`;
    },
    sample: async ({ pid, socks }, generator) => {
      const before = cpuMsOf(pid);
      const { wallMs } = await generator.carryOut(load, socks);
      return [((cpuMsOf(pid) - before) * 1_000) / load.count, load.count / (wallMs / 1_000)];
    },
  };
}

function udp(): Measure {
  const load = { kind: "packets", count: 40_000, window: 16, payloadBytes: 1_200 } as const;
  return {
    ...{ name: "udp", title: "UDP round trips of 1,200 bytes over SOCKS5, 16 on their way" },
    ...{ servers: [ours, v2rayAll], roundCount: 7, isFresh: false },
    metrics: [
      { title: "CPU µs/round trip", digits: 1 },
      { title: "round trips/s", digits: 0 },
      { title: "lost", digits: 0 },
    ],
    sample: async ({ pid, socks }, generator) => {
      const before = cpuMsOf(pid);
      const { wallMs, lostCount } = await generator.carryOut(load, socks);
      return [((cpuMsOf(pid) - before) * 1_000) / load.count, load.count / (wallMs / 1_000), lostCount];
    },
  };
}

function bursts(): Measure {
  const load = { kind: "packets", count: 64, window: 64, payloadBytes: 1_200 } as const;
  return {
    ...{ name: "udp-bursts", title: "UDP: the first 64 packets of an association at once" },
    ...{ servers: [ours, v2rayAll], roundCount: 7, isFresh: false },
    metrics: [{ title: "lost of 64", digits: 0 }],
    sample: async ({ socks }, generator) => [(await generator.carryOut(load, socks)).lostCount],
  };
}

function idle(): Measure {
  const count = 2_000;
  return {
    ...{ name: "idle", title: `Idle tunnels: ${count.toLocaleString("en")} that have moved some bytes` },
    ...{ servers: [ours, v2rayAll], roundCount: 3, isFresh: true },
    metrics: [
      { title: "RSS KiB/tunnel", digits: 1 },
      { title: "descriptors/tunnel", digits: 2 },
    ],
    sample: async ({ pid, socks }, generator) => {
      // What a process takes for its first connection is not what it takes for another one.
      await generator.carryOut(
        { kind: "transfers", count: 50, parallel: 8, upBytes: 1, downBytes: 1 },
        socks,
      );
      const [rss, descriptors] = [rssBytesOf(pid), descriptorsOf(pid)];
      await generator.carryOut({ kind: "idle", count }, socks);
      const sample = [(rssBytesOf(pid) - rss) / 1_024 / count, (descriptorsOf(pid) - descriptors) / count];
      await generator.release();
      return sample;
    },
  };
}

function start(): Measure {
  return {
    ...{ name: "start", title: "Start to the first answer of the API" },
    ...{ servers: [ourStart, grpcJsStart, v2rayStart], roundCount: 15, isFresh: true },
    metrics: [
      { title: "ms", digits: 0 },
      // To the tick of the system that it ended in.
      { title: "CPU ms (± 10)", digits: 0 },
    ],
    sample: async ({ pid, firstAnswerMs = NaN }) => Promise.resolve([firstAnswerMs, cpuMsOf(pid)]),
  };
}

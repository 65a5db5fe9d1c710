import type { Load, TransferLoad } from "./load-protocol.js";
import { checkRate, measureLoad } from "./measured-load.js";
import type { Measure } from "./measure.js";
import { descriptorsOf, rssBytesOf } from "./process-cost.js";
import { ours, oursUncounted, v2rayAll, v2rayNone, v2rayUsers, type ServerKind } from "./servers.js";

const bulkPeers = [ours, v2rayAll, v2rayUsers, v2rayNone];
const tracking = [ours, oursUncounted];
const gigabyte = 1e9;

/** What is measured of the proxy. @param scale - How much of each load: 0.1 is a tenth. */
export function createProxyMeasures(scale: number): readonly Measure[] {
  const times = (count: number): number => Math.max(1, Math.round(count * scale));
  const bytes = times(gigabyte);
  return [
    bulk("bulk-up", "Bulk, uplink: one connection", { upBytes: bytes }, bulkPeers, 5),
    bulk("bulk-down", "Bulk, downlink: one connection", { downBytes: bytes }, bulkPeers, 5),
    bulk(
      "bulk-down-8",
      "Bulk, downlink: eight connections",
      { downBytes: times(gigabyte / 8), count: 8, parallel: 8 },
      bulkPeers,
      5,
    ),
    bulk("tracked-bulk", "Counting, bulk downlink", { downBytes: bytes }, tracking, 15),
    transfers(2, times(400)),
    transfers(8, times(100)),
    short(
      "short",
      "Short connections: 200 bytes up, 2,000 down",
      [ours, v2rayAll, v2rayUsers],
      times(4_000),
      7,
    ),
    short("tracked-short", "Counting, short connections", tracking, times(4_000), 15),
    udp(times(40_000)),
    bursts(),
    idle(times(2_000)),
  ];
}

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
      const { wallMs } = await generator.carryOut(whole);
      return `The load without a proxy: ${(gigabytes / (wallMs / 1_000)).toFixed(2)} GB/s`;
    },
    sample: async (server, generator) => {
      const { cpuMs, seconds } = await measureLoad(server, generator, whole);
      return [cpuMs / 1_000 / gigabytes, gigabytes / seconds];
    },
  };
}

function transfers(megabytes: number, count: number): Measure {
  const load: TransferLoad = {
    ...{ kind: "transfers", count, parallel: 8, upBytes: 0 },
    downBytes: megabytes * 1e6,
  };
  return {
    ...{ name: `transfers-${megabytes}mb`, title: `Transfers of ${megabytes} MB, eight at a time` },
    ...{ servers: bulkPeers, roundCount: 5, isFresh: false },
    metrics: [
      { title: "CPU ms/transfer", digits: 2 },
      { title: "transfers/s", digits: 0 },
    ],
    check: async (generator) => checkRate(generator, load, "transfers/s"),
    sample: async (server, generator) => {
      const { cpuMs, seconds } = await measureLoad(server, generator, load);
      return [cpuMs / count, count / seconds];
    },
  };
}

function short(
  name: string,
  title: string,
  servers: readonly ServerKind[],
  count: number,
  roundCount: number,
): Measure {
  const load: TransferLoad = { kind: "transfers", count, parallel: 8, upBytes: 200, downBytes: 2_000 };
  return {
    ...{ name, title, servers, roundCount, isFresh: false },
    metrics: [
      { title: "CPU µs/connection", digits: 0 },
      { title: "connections/s", digits: 0 },
    ],
    check: async (generator) => checkRate(generator, load, "connections/s"),
    sample: async (server, generator) => {
      const { cpuMs, seconds } = await measureLoad(server, generator, load);
      return [(cpuMs * 1_000) / count, count / seconds];
    },
  };
}

function udp(count: number): Measure {
  const load = { kind: "packets", count, window: 16, payloadBytes: 1_200 } as const;
  return {
    ...{ name: "udp", title: "UDP round trips of 1,200 bytes over SOCKS5, 16 on their way" },
    ...{ servers: [ours, v2rayAll], roundCount: 7, isFresh: false },
    metrics: [
      { title: "CPU µs/round trip", digits: 1 },
      { title: "round trips/s", digits: 0 },
      { title: "lost", digits: 0, isAlone: true },
    ],
    check: async (generator) => checkRate(generator, load, "round trips/s"),
    sample: async (server, generator) => {
      const { cpuMs, seconds, answer } = await measureLoad(server, generator, load);
      return [(cpuMs * 1_000) / count, count / seconds, answer.lostCount];
    },
  };
}

function bursts(): Measure {
  const load = { kind: "packets", count: 64, window: 64, payloadBytes: 1_200 } as const;
  return {
    ...{ name: "udp-bursts", title: "UDP: the first 64 packets of an association at once" },
    ...{ servers: [ours, v2rayAll], roundCount: 7, isFresh: false },
    metrics: [{ title: "lost of 64", digits: 0, isAlone: true }],
    sample: async (server, generator) => {
      const { answer } = await measureLoad(server, generator, load);
      return [answer.lostCount];
    },
  };
}

function idle(count: number): Measure {
  const first: Load = { kind: "transfers", count: 50, parallel: 8, upBytes: 1, downBytes: 1 };
  return {
    ...{ name: "idle", title: `Idle tunnels: ${count.toLocaleString("en")} that have moved some bytes` },
    ...{ servers: [ours, v2rayAll], roundCount: 3, isFresh: true },
    metrics: [
      { title: "RSS KiB/tunnel", digits: 1 },
      { title: "descriptors/tunnel", digits: 2 },
    ],
    sample: async (server, generator) => {
      const { pid } = server;
      // What a process takes for its first connection is not what it takes for another one.
      await measureLoad(server, generator, first);
      const [rss, descriptors] = [rssBytesOf(pid), descriptorsOf(pid)];
      await measureLoad(server, generator, { kind: "idle", count });
      const sample = [(rssBytesOf(pid) - rss) / 1_024 / count, (descriptorsOf(pid) - descriptors) / count];
      await generator.release();
      return sample;
    },
  };
}

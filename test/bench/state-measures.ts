import { apiServers, nodeApiServers } from "./api-servers.js";
import { getOne, queryAll, queryAndReset } from "./calls.js";
import type { BesideLoad, Load } from "./load-protocol.js";
import type { Measure } from "./measure.js";
import { measureLoad } from "./measured-load.js";
import { descriptorsOf, rssBytesOf } from "./process-cost.js";
import type { Stall } from "./stall-watch.js";
import { quantile } from "./statistics.js";

/** What a server is like with much in it. @param scale - How much of that: 0.1 is a tenth. */
export function createStateMeasures(scale: number): readonly Measure[] {
  const times = (count: number): number => Math.max(2, Math.round(count * scale));
  return [
    beside(times(100_000), Math.max(100, 4_000 * scale)),
    memoryPerCounter(times(1_000_000)),
    idleCallers(times(1_000)),
  ];
}

function beside(counterCount: number, ms: number): Measure {
  const quiet: BesideLoad = { kind: "beside", ms: ms / 2, small: getOne, large: queryAndReset };
  const busy: BesideLoad = { ...quiet, ms, largeEveryMs: Math.min(1_000, ms / 2) };
  return {
    name: "beside",
    title: "QueryStats of 100,000 counters with a reset, each second, while 13 MB/s flow each way",
    ...{ servers: apiServers(counterCount), roundCount: 3, isFresh: false },
    metrics: [
      { title: "longest stall, ms", digits: 1 },
      { title: "of its own CPU, ms", digits: 1 },
      { title: "without queries, ms", digits: 1, isAlone: true },
      { title: "echo p99, ms", digits: 1 },
      { title: "connection p99, ms", digits: 1 },
      { title: "GetStats p99, ms", digits: 1 },
    ],
    sample: async (server, generator) => {
      const lived = async (load: BesideLoad) => {
        await server.order?.({ kind: "watch" });
        const { answer } = await measureLoad(server, generator, load);
        const stall: Stall | undefined = (await server.order?.({ kind: "stall" }))?.stall;
        return { stall, tookMs: answer.tookMs };
      };
      const without = await lived(quiet);
      const { stall, tookMs } = await lived(busy);
      return [
        ...[stall?.wallMs ?? NaN, stall?.cpuMs ?? NaN, without.stall?.wallMs ?? NaN],
        ...[tookMs?.echoes, tookMs?.connections, tookMs?.calls].map((times) => quantile(times ?? [], 0.99)),
      ];
    },
  };
}

function memoryPerCounter(count: number): Measure {
  const query: Load = { kind: "calls", ...queryAll, count: 1, connections: 1, streams: 1 };
  return {
    name: "memory",
    title: `RSS of ${count.toLocaleString("en")} counters with names of 44 characters, behind a garbage collection`,
    ...{ servers: nodeApiServers(0), roundCount: 3, isFresh: true },
    metrics: [
      { title: "bytes/counter", digits: 0 },
      { title: "bytes/counter once all were queried", digits: 0 },
    ],
    sample: async (server, generator) => {
      const collected = async (): Promise<number> => {
        await server.order?.({ kind: "collect" });
        return rssBytesOf(server.pid);
      };
      const before = await collected();
      await server.order?.({ kind: "fill", count });
      const filled = await collected();
      await measureLoad(server, generator, query);
      const queried = await collected();
      return [(filled - before) / count, (queried - before) / count];
    },
  };
}

function idleCallers(count: number): Measure {
  const idle = (connections: number): Load => ({ kind: "idle-calls", ...getOne, count: connections });
  return {
    name: "idle-api",
    title: `Idle connections to the API: ${count.toLocaleString("en")} that were answered once`,
    ...{ servers: apiServers(2), roundCount: 3, isFresh: true },
    metrics: [
      { title: "RSS KiB/connection", digits: 1 },
      { title: "descriptors/connection", digits: 2 },
    ],
    sample: async (server, generator) => {
      const { pid } = server;
      // What a process takes for its first connection is not what it takes for another one.
      await measureLoad(server, generator, idle(50));
      const [rss, descriptors] = [rssBytesOf(pid), descriptorsOf(pid)];
      await measureLoad(server, generator, idle(count));
      const sample = [(rssBytesOf(pid) - rss) / 1_024 / count, (descriptorsOf(pid) - descriptors) / count];
      await generator.release();
      return sample;
    },
  };
}

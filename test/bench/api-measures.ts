import { apiServers, nodeApiServers } from "./api-servers.js";
import { getOne, queryAll, queryByGroup, queryByRegexp, queryBySubstring, queryOne } from "./calls.js";
import type { Call } from "./grpc-caller.js";
import { findH2load, runH2load } from "./h2load.js";
import type { CallLoad } from "./load-protocol.js";
import type { Measure } from "./measure.js";
import { checkRate, measureLoad } from "./measured-load.js";
import { cpuMsOf } from "./process-cost.js";
import type { ServerKind } from "./servers.js";

/** How many connections, and how many calls each of them has under way. */
const widths = [
  [1, 1],
  [1, 64],
  [8, 8],
] as const;

/** Before Node compiles what calls need as well as it can, it has seen some ten thousand of them. */
const callsWarmUp = { isFresh: false, warmUpCount: 3 } as const;

/** What calls cost. @param scale - How much of each load: 0.1 is a tenth. */
export function createApiMeasures(scale: number): readonly Measure[] {
  const times = (count: number): number => Math.max(1, Math.round(count * scale));
  const thousand = apiServers(times(1_000));
  return [
    ...widths.map(([connections, streams]) => getStats(connections, streams, times(4_000), thousand)),
    ...widths.map(([connections, streams]) => getStatsByH2load(connections, streams, times(4_000), thousand)),
    queryStats("query-1", "one counter of 1,000", queryOne, times(2_000), thousand, 5),
    queryStats("query-1k", "1,000 counters", queryAll, times(400), thousand, 5),
    queryStats("query-10k", "10,000 counters", queryAll, times(40), apiServers(times(10_000)), 5),
    queryStats("query-100k", "100,000 counters", queryAll, times(5), apiServers(times(100_000)), 5),
    queryStats("query-1m", "1,000,000 counters", queryAll, 1, nodeApiServers(times(1_000_000)), 3),
    search(times(10), apiServers(times(100_000))),
  ];
}

/** What the load's own process took, for who wants to know whether it could have done more. */
const loadShare = { title: "load's CPU, %", digits: 0, isAlone: true } as const;

function getStats(
  connections: number,
  streams: number,
  count: number,
  servers: readonly ServerKind[],
): Measure {
  const load: CallLoad = { kind: "calls", ...getOne, count, connections, streams };
  return {
    ...{ name: `get-${connections}x${streams}`, title: `GetStats, ${describeWidth(connections, streams)}` },
    ...{ servers, roundCount: 5, ...callsWarmUp },
    metrics: [{ title: "CPU µs/call", digits: 1 }, { title: "calls/s", digits: 0 }, loadShare],
    check: async (generator) => checkRate(generator, load, "calls/s"),
    sample: async (server, generator) => {
      const { cpuMs, seconds, answer } = await measureLoad(server, generator, load);
      return [(cpuMs * 1_000) / count, count / seconds, (100 * answer.cpuMs) / answer.wallMs];
    },
  };
}

function getStatsByH2load(
  connections: number,
  streams: number,
  count: number,
  servers: readonly ServerKind[],
): Measure {
  return {
    name: `h2load-${connections}x${streams}`,
    title: `GetStats by h2load, ${describeWidth(connections, streams)}`,
    missing: findH2load() === undefined ? "h2load is not installed" : undefined,
    ...{ servers, roundCount: 3, ...callsWarmUp },
    metrics: [
      { title: "CPU µs/call", digits: 1 },
      { title: "calls/s", digits: 0 },
    ],
    sample: async ({ pid, api }) => {
      const before = cpuMsOf(pid);
      const callsPerSecond = await runH2load({ api, call: getOne, count, connections, streams });
      return [((cpuMsOf(pid) - before) * 1_000) / count, callsPerSecond];
    },
  };
}

function queryStats(
  name: string,
  what: string,
  call: Call,
  count: number,
  servers: readonly ServerKind[],
  roundCount: number,
): Measure {
  const load: CallLoad = { kind: "calls", ...call, count, connections: 1, streams: 1 };
  return {
    ...{ name, title: `QueryStats, ${what}`, servers, roundCount, isFresh: false, warmUpCount: 2 },
    metrics: [{ title: "CPU ms/call", digits: 3 }, { title: "ms/call", digits: 2 }, loadShare],
    sample: async (server, generator) => {
      const { cpuMs, answer } = await measureLoad(server, generator, load);
      return [cpuMs / count, answer.wallMs / count, (100 * answer.cpuMs) / answer.wallMs];
    },
  };
}

function search(count: number, servers: readonly ServerKind[]): Measure {
  const load = (call: Call): CallLoad => ({ kind: "calls", ...call, count, connections: 1, streams: 1 });
  return {
    ...{ name: "search", title: "QueryStats, 1 % of 100,000 counters" },
    ...{ servers, roundCount: 5, isFresh: false, warmUpCount: 2 },
    metrics: [
      { title: "substring, CPU ms/call", digits: 2 },
      { title: "regexp, CPU ms/call", digits: 2 },
      { title: "regexp / substring", digits: 2, isAlone: true },
      { title: "with groups, CPU ms/call", digits: 2 },
      { title: "with groups / substring", digits: 2, isAlone: true },
    ],
    sample: async (server, generator) => {
      const cpuMsOfCall = async (call: Call): Promise<number> =>
        (await measureLoad(server, generator, load(call))).cpuMs / count;
      const substring = await cpuMsOfCall(queryBySubstring);
      if (server.lacksRegexp === true) return [substring, NaN, NaN, NaN, NaN];
      const regexp = await cpuMsOfCall(queryByRegexp);
      const group = await cpuMsOfCall(queryByGroup);
      return [substring, regexp, regexp / substring, group, group / substring];
    },
  };
}

function describeWidth(connections: number, streams: number): string {
  return `${connections} ${connections === 1 ? "connection" : "connections"} × ${streams} ${streams === 1 ? "stream" : "streams"}`;
}

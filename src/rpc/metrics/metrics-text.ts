import { statDirections, type StatDirection, type StatScope } from "../../stats/stat-name.js";
import { networks } from "../../track/network.js";
import { refusalReasons } from "../refusal-tally.js";
import type { SysStatsFigures } from "../sys-stats.js";
import type { MetricsSources } from "./metrics-sources.js";
import { escapeLabel, formatFamily, formatSeries, type MetricFamily } from "./prometheus-text.js";

export interface MetricsTextOptions extends MetricsSources {
  /** What the exporter's names begin with. */
  readonly prefix: string;
  /** Whose traffic is told. */
  readonly scopes: readonly StatScope[];
  /** Which scrape this is, from 1. */
  readonly scrapeCount: number;
}

/**
 * Writes the metrics in Prometheus' text format, a line or a few at a time: v2ray-exporter's, by its names, and a few of
 * our own, which begin with `v2ray_api_`. Every family is there, with its two lines about itself where it has no series.
 *
 * Traffic is counted over the lifetime of the counters, which no reset lowers.
 */
export function* metricsText(options: MetricsTextOptions): Generator<string, void, undefined> {
  const startedAtMs = performance.now();
  const { prefix, scrapeCount } = options;
  yield* processText(prefix, options.sysStats.read());
  for (const direction of statDirections) yield* trafficText(options, direction);
  yield* connectionsText(options);
  yield* loginsText(options);
  yield* callsText(options);
  yield* single(
    {
      name: `${prefix}_scrapes_total`,
      type: "counter",
      help: "Scrapes since the API started, this one included.",
    },
    scrapeCount,
  );
  const durationMs = performance.now() - startedAtMs;
  yield* single(
    {
      name: `${prefix}_scrape_duration_seconds`,
      type: "gauge",
      help: "How long this scrape took up to this line.",
    },
    durationMs / 1_000,
  );
  yield* single({ name: `${prefix}_up`, type: "gauge", help: "1: the figures are there." }, 1);
}

/** Two of the exporter's names say what Prometheus would say otherwise, and stay as they are. */
function* processText(prefix: string, figures: SysStatsFigures): Generator<string, void, undefined> {
  const none = "Always 0: V8 does not count it.";
  const rows: readonly (readonly [MetricFamily["type"], string, number | bigint, string])[] = [
    ["gauge", "uptime_seconds", figures.Uptime, "Seconds since the API started."],
    ["gauge", "goroutines", figures.NumGoroutine, "Active resources of the event loop."],
    ["gauge", "memstats_alloc_bytes", figures.Alloc, "JavaScript heap in use, and external memory."],
    ["counter", "memstats_alloc_bytes_total", figures.TotalAlloc, "Allocated on the JavaScript heap."],
    ["gauge", "memstats_sys_bytes", figures.Sys, "Resident set."],
    ["counter", "memstats_mallocs_total", figures.Mallocs, none],
    ["counter", "memstats_frees_total", figures.Frees, none],
    ["gauge", "memstats_num_gc", figures.NumGC, "Garbage collections, minor and major."],
    ["gauge", "memstats_pause_total_ns", figures.PauseTotalNs, "How long these took, in nanoseconds."],
  ];
  for (const [type, name, value, help] of rows)
    yield* single({ name: `${prefix}_${name}`, type, help }, value);
}

function* trafficText(
  { prefix, store, scopes }: MetricsTextOptions,
  direction: StatDirection,
): Generator<string, void, undefined> {
  const name = `${prefix}_traffic_${direction}_bytes_total`;
  const way =
    direction === "uplink" ? "from clients towards their destinations" : "from destinations to clients";
  yield formatFamily({ name, type: "counter", help: `Payload ${way}, since the counter exists.` });
  if (store === undefined) return;
  for (const scope of scopes) {
    for (const subject of store.subjects(scope)) {
      const counter = subject[direction];
      // There may be a million of them: formatSeries() takes three times as long.
      const labels = `dimension="${scope}",target="${escapeLabel(subject.tag)}"`;
      yield counter === undefined ? "" : `${name}{${labels}} ${counter.total}\n`;
    }
  }
}

function* connectionsText({
  connections,
  refusedConnections,
}: MetricsTextOptions): Generator<string, void, undefined> {
  const open = "v2ray_api_open_connections";
  const all = "v2ray_api_connections_total";
  const refused = "v2ray_api_refused_connections_total";
  const rows =
    connections === undefined
      ? []
      : networks.map((network) => [network, connections.tallies[network]] as const);
  yield formatFamily({ name: open, type: "gauge", help: "Routed connections that are open." });
  for (const [network, { opened, closed }] of rows) yield formatSeries(open, { network }, opened - closed);
  yield formatFamily({ name: all, type: "counter", help: "Routed connections since the start." });
  for (const [network, { opened }] of rows) yield formatSeries(all, { network }, opened);
  yield formatFamily({
    name: refused,
    type: "counter",
    help: "Connections of clients that were reset at once, by what stood in the way.",
  });
  if (refusedConnections === undefined) return;
  const reasons = {
    connections: refusedConnections.connections,
    connections_per_source: refusedConnections.connectionsPerSource,
    file_descriptors: refusedConnections.descriptors,
  };
  for (const [reason, count] of Object.entries(reasons)) yield formatSeries(refused, { reason }, count);
}

function* loginsText({ failedLogins }: MetricsTextOptions): Generator<string, void, undefined> {
  const name = "v2ray_api_failed_logins_total";
  const help = "Logins at the proxy with a wrong name or password, by when they were answered.";
  yield formatFamily({ name, type: "counter", help });
  if (failedLogins === undefined) return;
  const { atOnce, late, unanswered } = failedLogins;
  for (const [answered, count] of Object.entries({ at_once: atOnce, late, never: unanswered }))
    yield formatSeries(name, { answered }, count);
}

function* callsText({ calls, refusals }: MetricsTextOptions): Generator<string, void, undefined> {
  const ended = "v2ray_api_calls_total";
  const refused = "v2ray_api_refused_requests_total";
  yield formatFamily({
    name: ended,
    type: "counter",
    help: "Calls that have ended, by the code with which they did.",
  });
  for (const tally of calls) {
    const { service, method } = tally;
    for (const [code, count] of tally.list()) yield formatSeries(ended, { service, method, code }, count);
  }
  yield formatFamily({
    name: refused,
    type: "counter",
    help: "Requests to the API that were refused, and connections to it that were cut.",
  });
  for (const reason of refusalReasons) yield formatSeries(refused, { reason }, refusals[reason]);
}

/** A family of one series without labels. */
function* single(family: MetricFamily, value: number | bigint): Generator<string, void, undefined> {
  yield formatFamily(family) + formatSeries(family.name, {}, value);
}

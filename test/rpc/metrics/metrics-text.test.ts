import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CallTally } from "../../../src/rpc/call-tally.js";
import { metricsText, type MetricsTextOptions } from "../../../src/rpc/metrics/metrics-text.js";
import { createRefusalTally } from "../../../src/rpc/refusal-tally.js";
import type { SysStatsFigures } from "../../../src/rpc/sys-stats.js";
import { CounterStore } from "../../../src/stats/counter-store.js";
import { statScopes } from "../../../src/stats/stat-name.js";
import { count } from "../../helpers/api-server.js";
import { exporterNames, familiesOf, seriesOf } from "../../helpers/metrics.js";

const figures: SysStatsFigures = {
  ...{ NumGoroutine: 7, NumGC: 3, Alloc: 1_000n, TotalAlloc: 2n ** 60n, Sys: 5_000n },
  ...{ Mallocs: 0n, Frees: 0n, LiveObjects: 0n, PauseTotalNs: 1_500n, Uptime: 42 },
};

/** The text, with the one figure that nobody knows before left out. */
function write(options: Partial<MetricsTextOptions> = {}): string {
  const pieces = metricsText({
    prefix: "v2ray",
    scopes: statScopes,
    scrapeCount: 1,
    store: new CounterStore(),
    sysStats: { read: () => figures },
    connections: undefined,
    refusedConnections: undefined,
    failedLogins: undefined,
    calls: [],
    refusals: createRefusalTally(),
    ...options,
  });
  return [...pieces].join("").replace(/(?<=_scrape_duration_seconds )[\d.e-]+$/m, "…");
}

describe("metricsText()", () => {
  it("writes what is known, in Prometheus' text format", () => {
    const store = new CounterStore();
    count(store, "inbound>>>in>>>traffic>>>uplink", 5);
    count(store, "user>>>alice>>>traffic>>>uplink", 2n ** 53n + 1n);
    count(store, "user>>>alice>>>traffic>>>downlink", 12);
    count(store, 'outbound>>>o"u\\t\n>>>traffic>>>downlink', 1);
    const get = new CallTally("a.Service", "Get");
    get.addOk();
    get.addError(new Error("unforeseen"));
    const text = write({
      store,
      calls: [get],
      connections: { tallies: { tcp: { opened: 9, closed: 4 }, udp: { opened: 3, closed: 3 } } },
      refusedConnections: { connections: 1, connectionsPerSource: 2, descriptors: 3 },
      failedLogins: { atOnce: 10, late: 5, unanswered: 1 },
      refusals: { ...createRefusalTally(), foreign_host: 8 },
      scrapeCount: 11,
    });
    assert.equal(text, golden);
  });

  for (const prefix of ["v2ray", "xray"]) {
    it(`has every name of the exporter where nothing was ever counted, with the prefix ${prefix}`, () => {
      for (const store of [new CounterStore(), undefined]) {
        const text = write({ prefix, store });
        const families = Object.keys(familiesOf(text));
        for (const name of exporterNames) assert.ok(families.includes(`${prefix}_${name}`), name);
        const ours = families.filter((name) => name.startsWith("v2ray_api_"));
        assert.equal(families.length, exporterNames.length + ours.length);
        const single = exporterNames.filter((name) => !name.startsWith("traffic_"));
        const series = seriesOf(text);
        for (const name of single) assert.ok(`${prefix}_${name}` in series, name);
      }
    });
  }

  it("tells lifetime totals, which a reset leaves alone", () => {
    const store = new CounterStore();
    const counter = count(store, "user>>>alice>>>traffic>>>uplink", 5);
    const before = write({ store });
    assert.equal(counter.reset(), 5n);
    assert.equal(write({ store }), before);
    counter.add(1);
    const series = seriesOf(write({ store }));
    assert.equal(series['v2ray_traffic_uplink_bytes_total{dimension="user",target="alice"}'], "6");
  });

  it("leaves out the scopes that are not asked for", () => {
    const store = new CounterStore();
    for (const scope of statScopes) store.pair(scope, "a");
    const text = write({ store, scopes: ["inbound", "outbound"] });
    assert.doesNotMatch(text, /dimension="user"/);
    assert.equal(text.match(/dimension="(inbound|outbound)"/g)?.length, 4);
  });

  it("keeps the series of a family together", () => {
    const store = new CounterStore();
    for (const scope of statScopes) for (const tag of ["a", "b"]) store.pair(scope, tag);
    const names = Object.keys(seriesOf(write({ store }))).map((series) => series.replace(/\{.*/, ""));
    const runs = names.filter((name, index) => name !== names[index - 1]);
    assert.deepEqual(runs, [...new Set(names)]);
  });
});

const golden = `# HELP v2ray_uptime_seconds Seconds since the API started.
# TYPE v2ray_uptime_seconds gauge
v2ray_uptime_seconds 42
# HELP v2ray_goroutines Active resources of the event loop.
# TYPE v2ray_goroutines gauge
v2ray_goroutines 7
# HELP v2ray_memstats_alloc_bytes JavaScript heap in use, and external memory.
# TYPE v2ray_memstats_alloc_bytes gauge
v2ray_memstats_alloc_bytes 1000
# HELP v2ray_memstats_alloc_bytes_total Allocated on the JavaScript heap.
# TYPE v2ray_memstats_alloc_bytes_total counter
v2ray_memstats_alloc_bytes_total 1152921504606846976
# HELP v2ray_memstats_sys_bytes Resident set.
# TYPE v2ray_memstats_sys_bytes gauge
v2ray_memstats_sys_bytes 5000
# HELP v2ray_memstats_mallocs_total Always 0: V8 does not count it.
# TYPE v2ray_memstats_mallocs_total counter
v2ray_memstats_mallocs_total 0
# HELP v2ray_memstats_frees_total Always 0: V8 does not count it.
# TYPE v2ray_memstats_frees_total counter
v2ray_memstats_frees_total 0
# HELP v2ray_memstats_num_gc Garbage collections, minor and major.
# TYPE v2ray_memstats_num_gc gauge
v2ray_memstats_num_gc 3
# HELP v2ray_memstats_pause_total_ns How long these took, in nanoseconds.
# TYPE v2ray_memstats_pause_total_ns gauge
v2ray_memstats_pause_total_ns 1500
# HELP v2ray_traffic_uplink_bytes_total Payload from clients towards their destinations, since the counter exists.
# TYPE v2ray_traffic_uplink_bytes_total counter
v2ray_traffic_uplink_bytes_total{dimension="inbound",target="in"} 5
v2ray_traffic_uplink_bytes_total{dimension="user",target="alice"} 9007199254740993
# HELP v2ray_traffic_downlink_bytes_total Payload from destinations to clients, since the counter exists.
# TYPE v2ray_traffic_downlink_bytes_total counter
v2ray_traffic_downlink_bytes_total{dimension="outbound",target="o\\"u\\\\t\\n"} 1
v2ray_traffic_downlink_bytes_total{dimension="user",target="alice"} 12
# HELP v2ray_api_open_connections Routed connections that are open.
# TYPE v2ray_api_open_connections gauge
v2ray_api_open_connections{network="tcp"} 5
v2ray_api_open_connections{network="udp"} 0
# HELP v2ray_api_connections_total Routed connections since the start.
# TYPE v2ray_api_connections_total counter
v2ray_api_connections_total{network="tcp"} 9
v2ray_api_connections_total{network="udp"} 3
# HELP v2ray_api_refused_connections_total Connections of clients that were reset at once, by what stood in the way.
# TYPE v2ray_api_refused_connections_total counter
v2ray_api_refused_connections_total{reason="connections"} 1
v2ray_api_refused_connections_total{reason="connections_per_source"} 2
v2ray_api_refused_connections_total{reason="file_descriptors"} 3
# HELP v2ray_api_failed_logins_total Logins at the proxy with a wrong name or password, by when they were answered.
# TYPE v2ray_api_failed_logins_total counter
v2ray_api_failed_logins_total{answered="at_once"} 10
v2ray_api_failed_logins_total{answered="late"} 5
v2ray_api_failed_logins_total{answered="never"} 1
# HELP v2ray_api_calls_total Calls that have ended, by the code with which they did.
# TYPE v2ray_api_calls_total counter
v2ray_api_calls_total{service="a.Service",method="Get",code="ok"} 1
v2ray_api_calls_total{service="a.Service",method="Get",code="internal"} 1
# HELP v2ray_api_refused_requests_total Requests to the API that were refused, and connections to it that were cut.
# TYPE v2ray_api_refused_requests_total counter
v2ray_api_refused_requests_total{reason="foreign_host"} 8
v2ray_api_refused_requests_total{reason="foreign_origin"} 0
v2ray_api_refused_requests_total{reason="malformed_host"} 0
v2ray_api_refused_requests_total{reason="no_secret"} 0
v2ray_api_refused_requests_total{reason="too_many_wrong_secrets"} 0
v2ray_api_refused_requests_total{reason="unknown_path"} 0
v2ray_api_refused_requests_total{reason="unknown_service"} 0
v2ray_api_refused_requests_total{reason="unknown_method"} 0
v2ray_api_refused_requests_total{reason="large_request"} 0
v2ray_api_refused_requests_total{reason="unreadable_call"} 0
v2ray_api_refused_requests_total{reason="wrong_http_method"} 0
v2ray_api_refused_requests_total{reason="too_many_pages"} 0
v2ray_api_refused_requests_total{reason="too_many_streams"} 0
v2ray_api_refused_requests_total{reason="large_headers"} 0
v2ray_api_refused_requests_total{reason="too_many_calls"} 0
v2ray_api_refused_requests_total{reason="too_many_calls_of_connection"} 0
v2ray_api_refused_requests_total{reason="many_patterns"} 0
v2ray_api_refused_requests_total{reason="long_pattern"} 0
v2ray_api_refused_requests_total{reason="costly_regexp"} 0
v2ray_api_refused_requests_total{reason="long_query"} 0
v2ray_api_refused_requests_total{reason="waiting_queries"} 0
v2ray_api_refused_requests_total{reason="queued_answers"} 0
v2ray_api_refused_requests_total{reason="slow_reader"} 0
v2ray_api_refused_requests_total{reason="too_many_connections"} 0
v2ray_api_refused_requests_total{reason="too_many_connections_of_source"} 0
v2ray_api_refused_requests_total{reason="displaced_connection"} 0
v2ray_api_refused_requests_total{reason="own_connection"} 0
v2ray_api_refused_requests_total{reason="no_first_byte"} 0
v2ray_api_refused_requests_total{reason="slow_request"} 0
v2ray_api_refused_requests_total{reason="http2_resets"} 0
v2ray_api_refused_requests_total{reason="http2_pings"} 0
v2ray_api_refused_requests_total{reason="http2_settings"} 0
v2ray_api_refused_requests_total{reason="http2_bytes"} 0
v2ray_api_refused_requests_total{reason="http2_errors"} 0
# HELP v2ray_scrapes_total Scrapes since the API started, this one included.
# TYPE v2ray_scrapes_total counter
v2ray_scrapes_total 11
# HELP v2ray_scrape_duration_seconds How long this scrape took up to this line.
# TYPE v2ray_scrape_duration_seconds gauge
v2ray_scrape_duration_seconds …
# HELP v2ray_up 1: the figures are there.
# TYPE v2ray_up gauge
v2ray_up 1
`;

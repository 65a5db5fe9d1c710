import assert from "node:assert/strict";
import { CounterStore } from "../../src/stats/counter-store.js";
import { sendHttp1, type HttpAnswer } from "./raw-http.js";

/** The names that v2ray-exporter has, behind its prefix. */
export const exporterNames = [
  "up",
  "scrapes_total",
  "scrape_duration_seconds",
  "uptime_seconds",
  "traffic_uplink_bytes_total",
  "traffic_downlink_bytes_total",
  "goroutines",
  "memstats_alloc_bytes",
  "memstats_alloc_bytes_total",
  "memstats_sys_bytes",
  "memstats_mallocs_total",
  "memstats_frees_total",
  "memstats_num_gc",
  "memstats_pause_total_ns",
] as const;

/** What is served beside the calls. */
export const pagePaths = ["/metrics", "/scrape", "/debug/vars"] as const;

/** Asks for a page. */
export async function getPage(port: number, path: string): Promise<HttpAnswer> {
  return sendHttp1(port, { method: "GET", path });
}

/** The series in a text of metrics: their values, by name and labels as they are written. */
export function seriesOf(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const pairs = lines.map((line): [string, string] => {
    const [, series = "", value = ""] = /^(.*) (\S+)$/.exec(line) ?? [];
    return [series, value];
  });
  const series = Object.fromEntries(pairs);
  assert.equal(Object.keys(series).length, pairs.length, "a series is there twice");
  return series;
}

/** The families in a text of metrics: their types, by name. */
export function familiesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(text.matchAll(/^# TYPE (\S+) (\S+)$/gm), ([, name = "", type = ""]) => [name, type]),
  );
}

/** Scrapes: the values of the series. */
export async function scrape(port: number): Promise<Record<string, string>> {
  return seriesOf((await getPage(port, "/metrics")).body.toString());
}

/** Two counters for each of so many users. */
export function manyUsers(userCount: number): CounterStore {
  const store = new CounterStore();
  for (let user = 0; user < userCount; user++) store.pair("user", `user-${user}`)?.uplink.add(user);
  return store;
}

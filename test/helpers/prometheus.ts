import { spawn } from "node:child_process";
import { once } from "node:events";
import { killAtExit } from "./program.js";
import { sendHttp1 } from "./raw-http.js";
import { closedPort } from "./sockets.js";
import { TempDir } from "./temp-dir.js";
import { withTimeout } from "./timing.js";

/** A series at the time of a query. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
}

/** A Prometheus that scrapes one target every 200 ms. */
export interface Prometheus {
  /** Evaluates an expression of its language now. */
  query(expression: string): Promise<Sample[]>;
  /** The values of one series, one for each scrape, of a range of time: `name[5m]`. */
  samples(range: string): Promise<string[]>;
}

const startTimeoutMs = 20_000;

/**
 * Starts one on 127.0.0.1, with its data in a folder of its own; it ends after the test.
 *
 * @param target - The port of 127.0.0.1 to scrape, or the whole section `scrape_configs`, in YAML.
 */
export async function startPrometheus(
  t: { after: (fn: () => void | Promise<void>) => void },
  target: number | string,
): Promise<Prometheus> {
  const folder = new TempDir();
  const port = await closedPort();
  const global = "global: { scrape_interval: 200ms, scrape_timeout: 200ms }\n";
  const job = `{ job_name: v2ray, static_configs: [{ targets: ["127.0.0.1:${target}"] }] }`;
  const jobs = typeof target === "string" ? target : `scrape_configs: [${job}]\n`;
  const file = folder.write("prometheus.yml", `${global}${jobs}`);
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${folder.join("data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const child = spawn("prometheus", args, { stdio: ["ignore", "ignore", "pipe"] });
  killAtExit(child);
  t.after(async () => {
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
    // It writes there until it has ended.
    folder[Symbol.dispose]();
  });
  const ready = new Promise<void>((resolve) => {
    let output = "";
    child.stderr.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("Server is ready to receive web requests")) resolve();
    });
  });
  await withTimeout(ready, startTimeoutMs, "start of prometheus");
  return {
    query: async (expression) => {
      const series = await query(port, expression);
      return series.map(({ metric, value: [, value] = [0, ""] }) => ({ labels: metric, value }));
    },
    samples: async (range) => {
      const [{ values = [] } = {}, ...others] = await query(port, range);
      if (others.length > 0) throw new Error(`${range} is more than one series`);
      return values.map(([, value]) => value);
    },
  };
}

type TimedValue = readonly [seconds: number, value: string];

/** A series in an answer: with a value, or of a range with many. */
interface AnsweredSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: TimedValue;
  readonly values?: readonly TimedValue[];
}

interface QueryAnswer {
  readonly data?: { readonly result: readonly AnsweredSeries[] };
}

async function query(port: number, expression: string): Promise<readonly AnsweredSeries[]> {
  const path = `/api/v1/query?query=${encodeURIComponent(expression)}`;
  const { status, body } = await sendHttp1(port, { method: "GET", path });
  const { data } = JSON.parse(body.toString()) as QueryAnswer;
  if (data === undefined) throw new Error(`${expression}: ${status} ${body.toString()}`);
  return data.result;
}

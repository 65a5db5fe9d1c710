import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, release, totalmem, type as systemType } from "node:os";
import { dirname, join } from "node:path";
import { rootPath } from "../helpers/cli.js";
import { findProgram } from "../helpers/outside-client.js";
import type { Metric } from "./measure.js";
import type { MeasureResult } from "./rounds.js";

/** What a run came to, as it is kept: everything that is written of it comes from here. */
export interface BenchRecord {
  /** The day, in UTC. */
  readonly date: string;
  readonly machine: MachineRecord;
  /** The version of each program that took part, or that it is not installed. */
  readonly versions: Readonly<Record<string, string>>;
  /** How much of each load, and of each size, there was. */
  readonly scale: number;
  readonly measures: readonly MeasureRecord[];
}

export interface MachineRecord {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
}

export interface MeasureRecord {
  readonly name: string;
  readonly title: string;
  readonly roundCount: number;
  readonly check?: string | undefined;
  readonly missing: readonly string[];
  readonly metrics: readonly Metric[];
  readonly servers: readonly ServerRecord[];
}

export interface ServerRecord {
  readonly name: string;
  /** For each metric. */
  readonly values: readonly ValueRecord[];
}

/** Without a figure where the server has no such thing. */
export interface ValueRecord {
  readonly median?: number | undefined;
  /** The first server's against this one's. */
  readonly ratio?: number | undefined;
  readonly samples: readonly number[];
}

/** What ran where, to be printed before anything is measured. */
export function describeRun(scale: number): Omit<BenchRecord, "measures"> {
  const [cpu] = cpus();
  return {
    scale,
    date: new Date().toISOString().slice(0, 10),
    machine: {
      cpu: cpu?.model.trim() ?? "?",
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      kernel: `${systemType()} ${release()}`,
    },
    versions: {
      "v2ray-api": versionIn(join(rootPath, "package.json")),
      Node: process.versions.node,
      V2Ray: versionOf("v2ray", ["-version"], /^V2Ray ([\d.]+)/),
      "@grpc/grpc-js": versionOfPackage("@grpc/grpc-js"),
      "connect-node": versionOfPackage("@connectrpc/connect-node"),
      h2load: versionOf("h2load", ["--version"], /nghttp2\/([\d.]+)/),
    },
  };
}

export function toMeasureRecord({
  measure: { name, title, metrics },
  roundCount,
  check,
  servers,
  missing,
}: MeasureResult): MeasureRecord {
  return {
    ...{ name, title, roundCount, check, missing, metrics },
    servers: servers.map(({ name: server, medians, ratios, samples }) => ({
      name: server,
      values: metrics.map(({ isAlone }, metric) => ({
        median: toFigure(medians[metric]),
        ratio: isAlone === true ? undefined : toFigure(ratios[metric]),
        samples: samples.map((sample) => toFigure(sample[metric])).filter((value) => value !== undefined),
      })),
    })),
  };
}

/** As many digits as say something. */
function toFigure(value = NaN): number | undefined {
  return Number.isFinite(value) ? Number(value.toPrecision(5)) : undefined;
}

function versionOf(program: string, args: readonly string[], pattern: RegExp): string {
  if (findProgram(program) === undefined) return "not installed";
  return pattern.exec(spawnSync(program, args, { encoding: "utf8" }).stdout)?.[1] ?? "of unknown version";
}

/** Not all packages let their package.json be imported. */
function versionOfPackage(name: string): string {
  let folder = dirname(createRequire(import.meta.url).resolve(name));
  for (;;) {
    const version = versionIn(join(folder, "package.json"), name);
    if (version !== "" || folder === dirname(folder)) return version;
    folder = dirname(folder);
  }
}

/** @returns nothing where there is no such package. */
function versionIn(path: string, name?: string): string {
  try {
    const read = JSON.parse(readFileSync(path, "utf8")) as {
      readonly name: string;
      readonly version: string;
    };
    return name === undefined || read.name === name ? read.version : "";
  } catch {
    return "";
  }
}

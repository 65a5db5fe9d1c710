import { spawn } from "node:child_process";
import { once } from "node:events";
import { StatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import type { User } from "../../src/proxy/users.js";
import type { Counters } from "./api-client.js";
import { GrpcClient } from "./grpc-client.js";
import { killAtExit } from "./program.js";
import { closedPort } from "./sockets.js";
import { createTempDir } from "./temp-dir.js";
import { withTimeout } from "./timing.js";

/** A V2Ray, where a user may leave by SOCKS5, UDP included, and by HTTP. */
export interface V2Ray {
  readonly pid: number;
  readonly socksPort: number;
  readonly httpPort: number;
  /** Where its API listens: `127.0.0.1:PORT` */
  readonly api: string;
  /** Its own counters, by name. */
  queryCounters(): Promise<Counters>;
}

/** What it counts: inbounds, outbounds and users; users alone, which costs it far less; nothing. */
export type V2RayStats = "all" | "users" | "none";

export interface V2RayOptions {
  /** Default: all. */
  readonly stats?: V2RayStats;
  /** Where it leaves, in its own words; the tag is `out`. Default: to the destination itself. */
  readonly outbound?: object;
  /** Tags of further outbounds, that nothing leaves by. Each has counters where all is counted. Default: none. */
  readonly unusedOutbounds?: readonly string[];
}

const startTimeoutMs = 20_000;

interface Owner {
  after: (fn: () => void | Promise<void>) => void;
}

/** Starts one on 127.0.0.1; it ends after the test. */
export async function startV2Ray(t: Owner, user: User, options: V2RayOptions = {}): Promise<V2Ray> {
  // It knows no port 0, and a port that is free now may be somebody else's a moment later: then it ends.
  for (let attempt = 0; attempt < 5; attempt++) {
    const started = await tryToStart(t, user, options);
    if (started !== undefined) return started;
  }
  throw new Error("v2ray ended at once, five times");
}

async function tryToStart(
  t: Owner,
  { username: user, password: pass }: User,
  { outbound = { protocol: "freedom" }, stats = "all", unusedOutbounds = [] }: V2RayOptions,
): Promise<V2Ray | undefined> {
  const [socksPort, httpPort, apiPort] = [await closedPort(), await closedPort(), await closedPort()];
  const accounts = [{ user, pass }];
  const listen = "127.0.0.1";
  const both = (what: string, counts: boolean) => ({
    [`${what}Uplink`]: counts,
    [`${what}Downlink`]: counts,
  });
  const config = {
    log: { loglevel: "warning" },
    stats: {},
    api: { tag: "api", services: ["StatsService"] },
    policy: {
      levels: { 0: both("statsUser", stats !== "none") },
      system: { ...both("statsInbound", stats === "all"), ...both("statsOutbound", stats === "all") },
    },
    inbounds: [
      {
        ...{ tag: "socks", listen, port: socksPort, protocol: "socks" },
        settings: { auth: "password", accounts, udp: true, ip: listen },
      },
      { tag: "http", listen, port: httpPort, protocol: "http", settings: { accounts } },
      { tag: "api", listen, port: apiPort, protocol: "dokodemo-door", settings: { address: listen } },
    ],
    outbounds: [{ tag: "out", ...outbound }, ...unusedOutbounds.map((tag) => ({ tag, protocol: "freedom" }))],
    routing: { rules: [{ type: "field", inboundTag: ["api"], outboundTag: "api" }] },
  };
  const path = createTempDir(t).write("config.json", JSON.stringify(config));
  const child = spawn("v2ray", ["-config", path], { stdio: ["ignore", "pipe", "ignore"] });
  killAtExit(child);
  const exited = once(child, "exit");
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const started = new Promise<true>((resolve) => {
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (/V2Ray [\d.]+ started/.test(output)) resolve(true);
    });
  });
  const outcome = Promise.race([started, exited.then(() => false)]);
  if (!(await withTimeout(outcome, startTimeoutMs, "start of v2ray"))) return undefined;
  const api = `${listen}:${apiPort}`;
  return { pid: child.pid ?? 0, socksPort, httpPort, api, queryCounters: async () => queryCounters(api) };
}

async function queryCounters(api: string): Promise<Counters> {
  const client = new GrpcClient(api);
  try {
    const { stat } = await client.call(StatsService.method.queryStats, {});
    return Object.fromEntries(stat.map(({ name, value }) => [name, value]));
  } finally {
    client[Symbol.dispose]();
  }
}

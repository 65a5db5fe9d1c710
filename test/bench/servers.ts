import type { Endpoint } from "../../src/net/endpoint.js";
import { portOf, startCli, testConfig } from "../helpers/cli.js";
import { findProgram } from "../helpers/outside-client.js";
import { startV2Ray, type V2RayStats } from "../helpers/v2ray.js";
import type { Obeyed, Order } from "./program-control.js";
import { login } from "./load-protocol.js";

/** A server that runs. */
export interface RunningServer {
  readonly pid: number;
  /** Where it is a proxy. */
  readonly socks?: Endpoint | undefined;
  /** Where it serves the StatsService. */
  readonly api?: Endpoint | undefined;
  /** Whether it takes no regular expressions. Default: it does. */
  readonly lacksRegexp?: boolean;
  /** Has it do what is no call. Only programs of ours do. */
  readonly order?: (order: Order) => Promise<Obeyed>;
  /** Of one that was asked from the moment it was started: when it answered, in milliseconds. */
  readonly firstAnswerMs?: number;
  stop(): Promise<void>;
}

/** A server to be measured. */
export interface ServerKind {
  readonly name: string;
  /** Why it cannot be started here. */
  readonly missing?: string | undefined;
  start(): Promise<RunningServer>;
}

/** Ours, with three counters each way: those of the inbound, the outbound and the user. */
export const ours: ServerKind = { name: "v2ray-api", start: async () => startOurs(true) };

export const oursUncounted: ServerKind = {
  name: "v2ray-api, nothing counted",
  start: async () => startOurs(false),
};

export const v2rayAll = v2ray("V2Ray, all stats", "all");
export const v2rayUsers = v2ray("V2Ray, user stats", "users");
export const v2rayNone = v2ray("V2Ray, no stats", "none");

/** What is to be closed behind a server, as a test would have it closed. */
export class Closings {
  readonly #closings: (() => void | Promise<void>)[] = [];

  readonly after = (close: () => void | Promise<void>): void => {
    this.#closings.unshift(close);
  };

  readonly stop = async (): Promise<void> => {
    for (const close of this.#closings) await close();
  };
}

async function startOurs(enabled: boolean): Promise<RunningServer> {
  const closings = new Closings();
  const stats = { enabled, inbounds: "in", outbounds: "out", users: login.username };
  // As V2Ray's here: a line for each connection is not what is compared.
  const log = { level: "warn" };
  const config = testConfig({ log, users: [login], inbound: "in", outbound: "out", api: { stats } });
  const { pid, proxy } = await startCli(closings, config);
  return { pid, socks: { host: "127.0.0.1", port: portOf(proxy) }, stop: closings.stop };
}

function v2ray(name: string, stats: V2RayStats): ServerKind {
  const missing = findProgram("v2ray") === undefined ? "v2ray is not installed" : undefined;
  const start = async (): Promise<RunningServer> => {
    const closings = new Closings();
    const { pid, socksPort } = await startV2Ray(closings, login, { stats });
    return { pid, socks: { host: "127.0.0.1", port: socksPort }, stop: closings.stop };
  };
  return { name, missing, start };
}

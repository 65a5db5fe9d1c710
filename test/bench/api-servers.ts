import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Endpoint } from "../../src/net/endpoint.js";
import { portOf, rootPath, testConfig } from "../helpers/cli.js";
import { findProgram } from "../helpers/outside-client.js";
import { killAtExit } from "../helpers/program.js";
import { startV2Ray } from "../helpers/v2ray.js";
import { withTimeout } from "../helpers/timing.js";
import { tagOf } from "./counters.js";
import { login } from "./load-protocol.js";
import type { Obeyed } from "./program-control.js";
import { Closings, type RunningServer, type ServerKind } from "./servers.js";

/*
 * Servers of the StatsService that have so many counters.
 */

/** Longer than a million counters take, where others have the processor. */
const readyTimeoutMs = 120_000;

/** Ours first; V2Ray where it can be had with so many counters. */
export function apiServers(counterCount: number): readonly ServerKind[] {
  return [...nodeApiServers(counterCount), v2rayApi(counterCount)];
}

/** Those that are programs for Node. */
export function nodeApiServers(counterCount: number): readonly ServerKind[] {
  const config = testConfig({
    ...{ log: { level: "error" }, users: [login], inbound: "in", outbound: "out" },
    api: { stats: { enabled: true, inbounds: "in", outbounds: "out", users: "*", max_counters: 2 ** 21 } },
  });
  const proto = join(rootPath, "proto");
  return [
    nodeServer("v2ray-api", "our-server.js", [JSON.stringify(config), String(counterCount)]),
    nodeServer("@grpc/grpc-js", "grpc-js-peer.js", ["0", proto, String(counterCount)]),
    nodeServer("connect-node", "connect-node-peer.js", ["0", proto, String(counterCount)]),
  ];
}

function nodeServer(name: string, file: string, args: readonly string[]): ServerKind {
  const start = async (): Promise<RunningServer> => {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, { execArgv: [] });
    killAtExit(child);
    const exited = once(child, "exit");
    const answer = async <T>(): Promise<T> => {
      const over = new AbortController();
      const ended = once(child, "exit", { signal: over.signal }).then(([code]) => {
        throw new Error(`${name} ended with ${String(code)}`);
      });
      const message = once(child, "message", { signal: over.signal }).then(([value]) => value as T);
      try {
        return await withTimeout(Promise.race([message, ended]), readyTimeoutMs, name);
      } finally {
        over.abort();
        await Promise.allSettled([message, ended]);
      }
    };
    const { socks, api } = await answer<{ readonly socks?: Endpoint; readonly api: Endpoint }>();
    return {
      ...{ pid: child.pid ?? 0, socks, api },
      order: async (order) => {
        child.send(order);
        return answer<Obeyed>();
      },
      stop: async () => {
        child.kill("SIGKILL");
        await exited;
      },
    };
  };
  return { name, start };
}

function v2rayApi(counterCount: number): ServerKind {
  const missing = findProgram("v2ray") === undefined ? "v2ray is not installed" : undefined;
  const start = async (): Promise<RunningServer> => {
    const closings = new Closings();
    const unusedOutbounds = Array.from({ length: Math.ceil(counterCount / 2) }, (_, index) => tagOf(index));
    const { pid, socksPort, api } = await startV2Ray(closings, login, { unusedOutbounds });
    return {
      pid,
      socks: { host: "127.0.0.1", port: socksPort },
      api: { host: "127.0.0.1", port: portOf(api) },
      lacksRegexp: true,
      stop: closings.stop,
    };
  };
  return { name: "V2Ray", missing, start };
}

import { once } from "node:events";
import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { TestContext } from "node:test";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { StatsService as V2RayStatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { StatsService as XrayStatsService } from "#gen/xray/app/stats/command/command_pb.js";
import type { Endpoint } from "../../src/net/endpoint.js";
import { addressOf, closeAfter, listen } from "./sockets.js";

/** How a server of the family reads a query: the ways in which they differ. */
export const kinds = ["V2Ray 4", "V2Ray 5", "sing-box", "Xray", "Xray, under its own name only"] as const;
export type FamilyKind = (typeof kinds)[number];

/** A server that reads queries as one of the family does, and nothing more of it. */
export interface FamilyServer {
  readonly server: Endpoint;
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** The counters, to be changed at will. */
  readonly counters: Map<string, bigint>;
  /** The addresses of those who were ever online, to be changed at will. */
  readonly online: Map<string, Record<string, bigint>>;
  /** The calls that came, each with the service's first word. */
  readonly calls: string[];
  /** From which call on all fail, counted from 1. Default: none. */
  failFrom: number;
  /** From which query on none is answered, counted as above. Default: none. */
  hangFrom: number;
}

interface Query {
  readonly pattern: string;
  readonly patterns: readonly string[];
  readonly regexp: boolean;
  readonly reset: boolean;
}

/** Starts one on a free port of 127.0.0.1; it is closed after the test. */
export async function startFamilyServer(t: TestContext, kind: FamilyKind): Promise<FamilyServer> {
  const counters = new Map<string, bigint>();
  const online = new Map<string, Record<string, bigint>>();
  const calls: string[] = [];
  const server = await serveRoutes(t, (router) => {
    const service = (prefix: string) => ({
      getStats: ({ name, reset }: { name: string; reset: boolean }) => {
        note(`${prefix}.GetStats`);
        const value = counters.get(name);
        if (value === undefined) throw notFound(name);
        if (reset) counters.set(name, 0n);
        return { stat: { name, value } };
      },
      queryStats: async (query: Query, { signal }: HandlerContext) => {
        note(`${prefix}.QueryStats`);
        if (calls.length >= family.hangFrom) await once(signal, "abort");
        return { stat: answer(query) };
      },
      getSysStats: () => {
        note(`${prefix}.GetSysStats`);
        return { Uptime: 3_725, Sys: 5_368_709_120n, NumGoroutine: 7, PauseTotalNs: 408_564n };
      },
      ...(kind.startsWith("Xray") ? onlineCalls(prefix) : {}),
    });
    if (kind !== "Xray, under its own name only") router.service(V2RayStatsService, service("v2ray"));
    if (kind.startsWith("Xray")) router.service(XrayStatsService, service("xray"));
  });
  const family: FamilyServer = {
    ...{ server, address: `127.0.0.1:${server.port}`, counters, online, calls },
    failFrom: Number.POSITIVE_INFINITY,
    hangFrom: Number.POSITIVE_INFINITY,
  };
  return family;

  function note(call: string): void {
    calls.push(call);
    if (calls.length >= family.failFrom) throw new ConnectError("no more of this", Code.ResourceExhausted);
  }

  function notFound(name: string): ConnectError {
    if (kind.startsWith("Xray")) return new ConnectError(`${name} not found.`, Code.NotFound);
    const prefix = kind === "sing-box" ? "" : "app/stats/command: ";
    return new ConnectError(`${prefix}${name} not found.`, Code.Unknown);
  }

  function answer({ pattern, patterns, regexp, reset }: Query): { name: string; value: bigint }[] {
    // The real one never answers again.
    if (kind === "V2Ray 5" && patterns.includes("")) throw new ConnectError("lost", Code.Internal);
    const all = kind === "sing-box" ? patterns : kind === "V2Ray 5" ? [...patterns, pattern] : [pattern];
    const used = kind === "sing-box" ? all : all.filter((text) => text !== "");
    const knowsRegexps = kind === "sing-box" || kind === "V2Ray 5";
    const matchers = used.map((text) => {
      if (!knowsRegexps || !regexp) return (name: string) => name.includes(text);
      if (text.startsWith("(?v")) throw new ConnectError("error parsing regexp", Code.Unknown);
      const compiled = new RegExp(text);
      return (name: string) => compiled.test(name);
    });
    return [...counters.keys()].flatMap((name) => {
      const hits = matchers.length === 0 ? 1 : matchers.filter((matches) => matches(name)).length;
      // Only sing-box answers once for each pattern that fits.
      return Array.from({ length: kind === "sing-box" ? hits : Math.min(1, hits) }, () => {
        const value = counters.get(name) ?? 0n;
        if (reset) counters.set(name, 0n);
        return { name, value };
      });
    });
  }

  function onlineCalls(prefix: string) {
    const addressesOf = (name: string): Record<string, bigint> => {
      const addresses = online.get(name);
      if (addresses === undefined) throw notFound(name);
      return addresses;
    };
    return {
      getStatsOnline: ({ name }: { name: string }) => {
        note(`${prefix}.GetStatsOnline`);
        return { stat: { name, value: BigInt(Object.keys(addressesOf(name)).length) } };
      },
      getStatsOnlineIpList: ({ name }: { name: string }) => {
        note(`${prefix}.GetStatsOnlineIpList`);
        return { name, ips: addressesOf(name) };
      },
      getAllOnlineUsers: () => {
        note(`${prefix}.GetAllOnlineUsers`);
        return { users: [...online.keys()] };
      },
    };
  }
}

/** Serves gRPC in cleartext on a free port of 127.0.0.1, until after the test. */
export async function serveRoutes(
  t: TestContext,
  routes: (router: ConnectRouter) => void,
): Promise<Endpoint> {
  return serveHttp2(t, createServer(connectNodeAdapter({ routes })));
}

/** Lets an HTTP/2 server listen on a free port of 127.0.0.1; its connections are cut after the test. */
export async function serveHttp2(t: TestContext, server: Http2Server): Promise<Endpoint> {
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => sessions.add(session));
  await listen(t, server);
  closeAfter(t, {
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      return Promise.resolve();
    },
  });
  return { host: "127.0.0.1", port: addressOf(server).port };
}
